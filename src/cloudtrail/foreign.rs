//! What lies among log files and is none, by its name.
//!
//! In: the name of a folder or file. Out: whether it is known to be something else. Promise: only names that AWS
//! documents, or that say what the file is; a name that is merely unusual stays a possible log file.

use super::delivery_stamp;

/// Folders that other services write below `AWSLogs/account/`, beside CloudTrail's, with the page that says so.
const SERVICES: &[&str] = &[
    // https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html
    "BedrockModelInvocationLogs",
    // https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging.html
    "CloudFront",
    // https://docs.aws.amazon.com/config/latest/developerguide/s3-bucket-policy.html
    "Config",
    // https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_exportfindings.html
    "GuardDuty",
    // https://docs.aws.amazon.com/waf/latest/developerguide/logging-s3.html
    "WAFLogs",
    // https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
    "elasticloadbalancing",
    // https://docs.aws.amazon.com/global-accelerator/latest/dg/monitoring-global-accelerator.flow-logs.html
    "globalaccelerator",
    // https://docs.aws.amazon.com/network-firewall/latest/developerguide/logging-s3.html
    "network-firewall",
    // https://docs.aws.amazon.com/redshift/latest/mgmt/db-auditing.html
    "redshift",
    // https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-query-logs-choosing-target-resource.html
    "vpcdnsquerylogs",
    // https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-path.html
    "vpcflowlogs",
];

/// Endings of files that people put beside log files.
const DOCUMENTS: &[&str] = &[
    "docx", "gif", "htm", "html", "ipynb", "jpeg", "jpg", "md", "pdf", "png", "pptx", "py", "sh",
    "sql", "svg", "tf", "toml", "xlsx", "yaml", "yml",
];

/// What operating systems, editors and version control put into folders for themselves.
const CLUTTER: &[&str] = &[
    ".DS_Store",
    ".DocumentRevisions-V100",
    ".Spotlight-V100",
    ".TemporaryItems",
    ".Trash",
    ".Trashes",
    ".cache",
    ".directory",
    ".fseventsd",
    ".git",
    ".gitattributes",
    ".gitignore",
    ".gitkeep",
    ".hg",
    ".idea",
    ".localized",
    ".svn",
    ".terraform",
    ".venv",
    ".vscode",
    "Thumbs.db",
    "__MACOSX",
    "desktop.ini",
];

/// Whether a file or folder of this name belongs to a program, not to people: macOS also writes `._name` beside files.
pub fn is_clutter(name: &str) -> bool {
    CLUTTER.contains(&name) || name.starts_with("._")
}

/// Whether a file has the name that CloudTrail gives to log files, wherever it lies:
/// `account_CloudTrail_region_time_….json.gz`.
pub fn is_log_file(name: &str) -> bool {
    name.contains("_CloudTrail_") && delivery_stamp(name).is_some()
}

/// Whether another service writes its logs into a folder of this name, beside CloudTrail's.
pub fn is_other_service(name: &str) -> bool {
    SERVICES.contains(&name)
}

/// Whether the name says that the file is a document, a picture or code.
pub fn is_document(name: &str) -> bool {
    let Some((_, end)) = name.rsplit_once('.') else {
        // The file with which a load balancer tries whether it may write.
        return name == "ELBAccessLogTestFile";
    };
    DOCUMENTS
        .iter()
        .any(|known| end.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_file_is_no_document() {
        for name in [
            "1_CloudTrail_eu-west-1_20250305T1205Z_x.json.gz",
            "events",
            "events.txt",
            "export.csv",
            "md",
        ] {
            assert!(!is_document(name), "{name}");
        }
        assert!(is_document("README.md") && is_document("Graph.PNG"));
        assert!(is_clutter(".DS_Store") && is_clutter("._events.json"));
        assert!(!is_clutter(".events.json.gz") && !is_clutter("git"));
    }
}
