//! What a call reads besides: the object that it copies, code and templates in S3, layers of functions.
//!
//! In: a call. Out: the actions that reading asks for, on what is read. Promise: only what the parameters name; what they leave open (tags of
//! a copied object, versions in a list that the event does not have, the policy of an image's repository) is an open need.

use std::sync::LazyLock;

use percent_encoding::percent_decode_str;

use super::super::arn::literal;
use super::call::{Call, Need, Open};
use super::data::{fits, rows};
use super::parameters::Parameters;

/// Service, call, action, bucket, key, version.
static READS: LazyLock<Vec<[&'static str; 6]>> =
    LazyLock::new(|| rows(include_str!("../data/iam_reads.tsv")).collect());

/// What the call needs for what it reads.
pub(super) fn needs(call: &Call<'_>, prefix: &str, parameters: &Parameters) -> Vec<Need> {
    let mut needs = match (prefix, call.operation) {
        ("s3" | "s3express", "CopyObject" | "UploadPartCopy") => copied(call, parameters),
        ("s3", "DeleteObjects") => {
            let bucket = parameters.text("bucketName").unwrap_or_default();
            let subject = format!("arn:{}:s3:::{}", call.partition(), literal(bucket));
            let action = "s3:DeleteObjectVersion";
            vec![Need::open(action, &subject, Open::Versions)]
        }
        ("lambda", "CreateFunction" | "UpdateFunctionConfiguration") => {
            let mut needs: Vec<Need> = layers(parameters).collect();
            needs.extend(image(parameters));
            needs
        }
        ("lambda", "UpdateFunctionCode") => image(parameters).into_iter().collect(),
        _ => Vec::new(),
    };
    let listed = READS
        .iter()
        .filter(|row| row[0] == prefix && fits(row[1], call.operation));
    needs.extend(listed.filter_map(|row| in_s3(call, row, parameters)));
    needs
}

/// The object that a copy reads. Its header is `bucket/key?versionId=id` or the ARN of an access point, with `%20` and the like.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>
fn copied(call: &Call<'_>, parameters: &Parameters) -> Vec<Need> {
    let Some(source) = parameters.text("x-amz-copy-source") else {
        return Vec::new();
    };
    let (path, version) = match source.split_once("?versionId=") {
        Some((path, version)) => (path, Some(version)),
        None => (source, None),
    };
    let path = decoded(path.trim_start_matches('/'));
    let partition = call.partition();
    let bucket = path.split('/').next().unwrap_or_default();
    if bucket.ends_with("--x-s3") {
        let (region, account) = (call.region, call.account);
        let arn = format!(
            "arn:{partition}:s3express:{region}:{account}:bucket/{}",
            literal(bucket)
        );
        return vec![Need::new("s3express:CreateSession", arn)];
    }
    let object = match path.starts_with("arn:") {
        true => literal(&path),
        false => format!("arn:{partition}:s3:::{}", literal(&path)),
    };
    let (read, tags) = match version {
        Some(_) => ("s3:GetObjectVersion", "s3:GetObjectVersionTagging"),
        None => ("s3:GetObject", "s3:GetObjectTagging"),
    };
    let mut needs = vec![Need::new(read, object.clone())];
    let replaces = parameters.given("x-amz-tagging-directive", Some("REPLACE"));
    if call.operation == "CopyObject" && !replaces && call.event_source.starts_with("s3.") {
        needs.push(Need::open(tags, &object, Open::SourceTags));
    }
    needs
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/permissions-user-function.html#permissions-user-layer>
fn layers(parameters: &Parameters) -> impl Iterator<Item = Need> {
    let layers = parameters.at("layers[]").into_iter();
    let arns = layers.filter_map(|layer| layer.as_str().filter(|arn| arn.starts_with("arn:")));
    let needs: Vec<Need> = arns
        .map(|arn| Need::new("lambda:GetLayerVersion", literal(arn)))
        .collect();
    needs.into_iter()
}

/// Lambda itself reads an image, and puts the permission for it into the repository's policy with the rights of the caller.
/// <https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#gettingstarted-images-permissions>
fn image(parameters: &Parameters) -> Option<Need> {
    let paths = ["imageUri", "code.imageUri"].into_iter();
    let image = paths
        .flat_map(|path| parameters.at(path))
        .next()?
        .as_str()?;
    let action = "ecr:SetRepositoryPolicy";
    Some(Need::open(action, image, Open::ImagePolicy))
}

/// The action of a row on the object or bucket that the parameters name.
fn in_s3(call: &Call<'_>, row: &[&str; 6], parameters: &Parameters) -> Option<Need> {
    let [_, _, action, bucket, key, version] = *row;
    let text = |path: &str| {
        let found = parameters.at(path).into_iter();
        let mut texts = found.filter_map(|value| value.as_str());
        texts.next().filter(|text| !text.is_empty())
    };
    let start = format!("arn:{}:s3:::", call.partition());
    if let Some(url) = bucket.strip_suffix('!') {
        let object = of_url(text(url)?)?;
        return Some(Need::new(action, format!("{start}{}", literal(&object))));
    }
    let start = format!("{start}{}", literal(text(bucket)?));
    let resource = match (key, key.strip_suffix('*')) {
        ("-", _) => start,
        (_, Some(key)) => format!("{start}/{}*", literal(text(key).unwrap_or_default())),
        (key, None) => format!("{start}/{}", literal(text(key)?)),
    };
    let action = match version != "-" && text(version).is_some() {
        true => "s3:GetObjectVersion",
        false => action,
    };
    Some(Need::new(action, resource))
}

/// Bucket and key of an object's URL, in both of S3's styles.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html>
fn of_url(url: &str) -> Option<String> {
    let (host, path) = url.strip_prefix("https://")?.split_once('/')?;
    let path = path.split('?').next().filter(|path| !path.is_empty())?;
    let name = host.split_once(".amazonaws.com")?.0;
    let is_s3 = |label: &str| label == "s3" || label.starts_with("s3.") || label.starts_with("s3-");
    if is_s3(name) {
        return path.contains('/').then(|| decoded(path));
    }
    // A bucket's name may have dots: `my.bucket.s3.eu-west-1`.
    let dots = name.match_indices('.').map(|(at, _)| at);
    let (bucket, _) = dots
        .map(|at| (&name[..at], &name[at + 1..]))
        .find(|(_, rest)| is_s3(rest))?;
    Some(format!("{bucket}/{}", decoded(path)))
}

/// A text without `%20` and the like; as it is where these are not UTF-8.
fn decoded(text: &str) -> String {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map_or_else(|_| text.to_owned(), |text| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_objects_have_two_styles() {
        for (url, object) in [
            (
                "https://b.s3.eu-west-1.amazonaws.com/t/x.yml",
                Some("b/t/x.yml"),
            ),
            (
                "https://a.b.s3.amazonaws.com/x%20y.yml?versionId=1",
                Some("a.b/x y.yml"),
            ),
            (
                "https://s3.eu-west-1.amazonaws.com/b/x.yml",
                Some("b/x.yml"),
            ),
            (
                "https://s3-eu-west-1.amazonaws.com/b/x.yml",
                Some("b/x.yml"),
            ),
            (
                "https://s3.cn-north-1.amazonaws.com.cn/b/x.yml",
                Some("b/x.yml"),
            ),
            ("https://example.com/b/x.yml", None),
            ("https://s3.amazonaws.com/b", None),
        ] {
            assert_eq!(of_url(url).as_deref(), object, "{url}");
        }
    }

    #[test]
    fn percent_signs_that_encode_nothing_stay() {
        assert_eq!(decoded("a%20b%2Fc"), "a b/c");
        assert_eq!(decoded("100%"), "100%");
        assert_eq!(decoded("%zz%ff"), "%zz%ff");
    }
}
