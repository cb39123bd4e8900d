//! Which secrets and data were touched.
//!
//! In: the deeds. Out: one [`DataAccess`] per bucket, secret, table, snapshot … and who is behind it, and the secrets that have to be replaced.
//! Promise: requests that failed are counted apart from those that succeeded; bytes are those that the log has.

use super::super::graph::deeds::Deed;
use super::super::graph::paths::Call;
use crate::report::trace::{Created, DataAccess, Origin, Secret, State};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// A call on data: service, call (or its beginning, with `*`), what it is on, where that is named, and what it does.
type Access = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

/// Calls on data other than S3's.
#[rustfmt::skip]
const ACCESSES: &[Access] = &[
    ("secretsmanager", "GetSecretValue", "secret", "request.secretId", "read"),
    ("secretsmanager", "BatchGetSecretValue", "secret", "request.secretIdList[]", "read"),
    ("secretsmanager", "PutSecretValue", "secret", "request.secretId", "written"),
    ("secretsmanager", "DeleteSecret", "secret", "request.secretId", "deleted"),
    ("ssm", "GetParameter", "parameter", "request.name", "read"),
    ("ssm", "GetParameters", "parameter", "request.names[]", "read"),
    ("ssm", "GetParametersByPath", "parameter", "request.path", "read"),
    ("ssm", "GetParameterHistory", "parameter", "request.name", "read"),
    ("kms", "Decrypt", "kms_key", "resource", "decrypted with"),
    ("dynamodb", "GetItem", "table", "request.tableName", "read"),
    ("dynamodb", "BatchGetItem", "table", "resource", "read"),
    ("dynamodb", "Query", "table", "request.tableName", "read"),
    ("dynamodb", "Scan", "table", "request.tableName", "read"),
    ("dynamodb", "ExecuteStatement", "table", "resource", "read"),
    ("dynamodb", "PutItem", "table", "request.tableName", "written"),
    ("dynamodb", "UpdateItem", "table", "request.tableName", "written"),
    ("dynamodb", "DeleteItem", "table", "request.tableName", "deleted"),
    ("dynamodb", "ExportTableToPointInTime", "table", "request.tableArn", "exported"),
    ("ec2", "GetPasswordData", "instance_password", "request.instanceId", "read"),
    ("ec2", "GetConsoleOutput", "instance_console", "request.instanceId", "read"),
    ("ec2", "DescribeInstanceAttribute", "instance_attribute", "request.instanceId", "read"),
    ("ec2", "CreateSnapshot", "volume", "request.volumeId", "copied"),
    ("ec2", "CreateImage", "instance", "request.instanceId", "copied"),
    ("ec2", "CopySnapshot", "snapshot", "request.sourceSnapshotId", "copied"),
    ("ec2", "ModifySnapshotAttribute", "snapshot", "request.snapshotId", "shared"),
    ("ec2", "ModifyImageAttribute", "image", "request.imageId", "shared"),
    ("ec2", "SharedSnapshotCopyInitiated", "snapshot", "request.snapshotId", "copied"),
    ("ebs", "GetSnapshotBlock", "snapshot", "request.snapshotId", "read"),
    ("rds", "CreateDBSnapshot", "database", "request.dBInstanceIdentifier", "copied"),
    ("rds", "CopyDBSnapshot", "db_snapshot", "request.sourceDBSnapshotIdentifier", "copied"),
    ("rds", "ModifyDBSnapshotAttribute", "db_snapshot", "request.dBSnapshotIdentifier", "shared"),
    ("rds", "ModifyDBClusterSnapshotAttribute", "db_snapshot", "request.dBClusterSnapshotIdentifier", "shared"),
    ("rds", "StartExportTask", "db_snapshot", "request.sourceArn", "exported"),
    ("rds", "DeleteDBInstance", "database", "request.dBInstanceIdentifier", "deleted"),
    ("lambda", "GetFunction", "function", "request.functionName", "read"),
    ("ecr", "GetDownloadUrlForLayer", "repository", "request.repositoryName", "read"),
    ("ecr", "BatchGetImage", "repository", "request.repositoryName", "read"),
    ("codecommit", "GitPull", "repository", "request.repositoryName|resource", "read"),
    ("athena", "GetQueryResults", "query", "request.queryExecutionId", "read"),
    ("logs", "GetLogEvents", "log_group", "request.logGroupName|request.logGroupIdentifier", "read"),
    ("logs", "FilterLogEvents", "log_group", "request.logGroupName|request.logGroupIdentifier", "read"),
    ("logs", "DeleteLogGroup", "log_group", "request.logGroupName", "deleted"),
    ("sqs", "ReceiveMessage", "queue", "request.queueUrl", "read"),
    ("glue", "GetConnection", "connection", "request.name", "read"),
    ("redshift", "GetClusterCredentials", "cluster", "request.clusterIdentifier", "read"),
];

/// What was touched, the most bytes first.
pub(in crate::analysis::trace) fn data_access(deeds: &[Deed]) -> Vec<DataAccess> {
    let mut found: BTreeMap<(&'static str, String, Origin), Tally> = BTreeMap::new();
    for deed in deeds.iter().filter(|deed| deed.member.is_some()) {
        for touch in touches(deed) {
            let place = (touch.kind, touch.resource.clone(), deed.event.origin);
            let tally = found.entry(place).or_default();
            tally.add(deed, &touch);
        }
    }
    let mut rows: Vec<DataAccess> = found
        .into_iter()
        .map(|((kind, resource, origin), tally)| tally.row(kind, resource, origin))
        .collect();
    let weight = |row: &DataAccess| {
        (
            row.origin,
            std::cmp::Reverse(row.bytes_out),
            std::cmp::Reverse(row.requests),
        )
    };
    rows.sort_by(|a, b| {
        weight(a)
            .cmp(&weight(b))
            .then_with(|| a.resource.cmp(&b.resource))
    });
    rows
}

struct Touch {
    kind: &'static str,
    resource: String,
    action: &'static str,
    object: Option<String>,
    bytes: (u64, u64),
}

fn touches(deed: &Deed) -> Vec<Touch> {
    if deed.service() == "s3" {
        return of_s3(deed, &deed.call()).into_iter().collect();
    }
    let service = deed.service();
    let Some((_, _, kind, path, action)) = ACCESSES
        .iter()
        .find(|access| access.0 == service && access.1 == deed.operation)
    else {
        return Vec::new();
    };
    let named = deed.call().all(path);
    let named = match named.is_empty() && path.ends_with("resource") {
        true => deed.resources.first().cloned().into_iter().collect(),
        false => named,
    };
    let named = match named.is_empty() {
        true => vec![
            deed.event
                .target
                .clone()
                .unwrap_or_else(|| "(not named)".to_owned()),
        ],
        false => named,
    };
    named
        .into_iter()
        .map(|resource| Touch {
            kind,
            resource,
            action,
            object: None,
            bytes: (0, 0),
        })
        .collect()
}

fn of_s3(deed: &Deed, call: &Call) -> Option<Touch> {
    let bucket = call.first("request.bucketName")?;
    let action = match deed.operation.as_str() {
        "GetObject" | "SelectObjectContent" | "GetObjectTorrent" => "read",
        "HeadObject" | "HeadBucket" => "looked at",
        "PutObject"
        | "CopyObject"
        | "UploadPart"
        | "UploadPartCopy"
        | "CompleteMultipartUpload"
        | "PostObject" => "written",
        name if name.starts_with("ListObject") => "listed",
        name if name.starts_with("DeleteObject") => "deleted",
        "DeleteBucket" => "deleted",
        "CreateBucket" => "created",
        name if name.starts_with("Get") || name.starts_with("List") => "configuration read",
        _ => "configured",
    };
    let bytes = |name: &str| {
        call.additional
            .get(name)
            .and_then(crate::json::Value::as_f64)
            .unwrap_or_default() as u64
    };
    Some(Touch {
        kind: "bucket",
        resource: bucket,
        action,
        object: call.first("request.key"),
        bytes: (bytes("bytesTransferredOut"), bytes("bytesTransferredIn")),
    })
}

#[derive(Default)]
struct Tally {
    row: DataAccess,
    actions: BTreeSet<&'static str>,
    objects: HashSet<String>,
    objects_read: HashSet<String>,
    calls: BTreeMap<String, u64>,
    keys: BTreeSet<String>,
}

impl Tally {
    fn add(&mut self, deed: &Deed, touch: &Touch) {
        let (row, event) = (&mut self.row, &deed.event);
        if row.requests == 0 {
            row.first_seen = event.event_time.clone();
        }
        row.last_seen = event.event_time.clone();
        row.requests += 1;
        row.bytes_in += touch.bytes.1;
        if deed.failed() {
            row.failed += 1;
            row.bytes_out_failed += touch.bytes.0;
        } else {
            row.bytes_out += touch.bytes.0;
            self.actions.insert(touch.action);
            if touch.action == "read" {
                self.objects_read.extend(touch.object.clone());
            }
        }
        self.objects.extend(touch.object.clone());
        *self.calls.entry(deed.operation.clone()).or_default() += 1;
        self.keys.extend(event.access_key_id.clone());
    }

    fn row(self, kind: &'static str, resource: String, origin: Origin) -> DataAccess {
        DataAccess {
            kind,
            resource,
            actions: self.actions.into_iter().collect(),
            objects: self.objects.len() as u64,
            objects_read: self.objects_read.len() as u64,
            calls: self.calls.into_iter().collect(),
            access_key_ids: self.keys.into_iter().collect(),
            origin,
            ..self.row
        }
    }
}

/// What has to be replaced because it was read, or because it was made by the wrong hands. A legitimate consumer's reading
/// exposes nothing.
pub(in crate::analysis::trace) fn rotate(
    deeds: &[Deed],
    created: &[Created],
    start: &[&str],
) -> Vec<Secret> {
    let mut secrets: BTreeMap<(&'static str, String), Secret> = BTreeMap::new();
    for key in start.iter().filter(|key| key.starts_with("AKIA")) {
        let first = deeds
            .iter()
            .find(|deed| deed.event.access_key_id.as_deref() == Some(key));
        let secret = Secret {
            kind: "access_key",
            id: (*key).to_owned(),
            why:
                "this is the traced key: deactivate it, and give its programs a role, not a new key"
                    .to_owned(),
            event_id: first
                .map(|deed| deed.event.event_id.clone())
                .unwrap_or_default(),
        };
        secrets.insert(("access_key", (*key).to_owned()), secret);
    }
    for deed in deeds {
        if deed.member.is_none() || !deed.has_effect() || deed.event.origin == Origin::Owner {
            continue;
        }
        for touch in touches(deed) {
            let exposes =
                ["secret", "parameter", "instance_password", "cluster"].contains(&touch.kind);
            if exposes && touch.action == "read" {
                let place = (touch.kind, touch.resource.clone());
                secrets.entry(place).or_insert_with(|| Secret {
                    kind: touch.kind,
                    id: touch.resource,
                    why: format!("read by {}", deed.name()),
                    event_id: deed.event.event_id.clone(),
                });
            }
        }
    }
    for row in created {
        let still = row.state == State::There && row.origin != Origin::Owner;
        let kind = match row.kind.as_str() {
            "password" => "password",
            "key_pair" => "key_pair",
            "service_credential" => "service_credential",
            _ => continue,
        };
        if still {
            secrets
                .entry((kind, row.id.clone()))
                .or_insert_with(|| Secret {
                    kind,
                    id: row.id.clone(),
                    why: format!("set by {}", row.event_name),
                    event_id: row.event_id.clone(),
                });
        }
    }
    secrets.into_values().collect()
}
