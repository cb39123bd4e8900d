//! The names that user agents are made of.
//!
//! In: the name of a product, or a word. Out: what it stands for. Promise: this is data; a name that is not here is the name
//! of a program nobody has told us about, and is kept as such.

use super::Family;

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// An SDK: its label.
    Sdk(&'static str),
    /// A library that SDKs are built on: their label if nothing better comes.
    Base(&'static str),
    /// A program: its own name and family.
    Tool(&'static str, Family),
    /// A language's runtime.
    Runtime(&'static str),
    /// An operating system.
    Os(&'static str),
    /// A processor.
    Arch,
    /// Says nothing about who calls.
    Noise,
}

use Family::{AttackTool, AwsInternal, Console, HttpLibrary, Iac, S3Tool, Tool};
use Role::{Arch, Base, Noise, Os, Runtime, Sdk};

/// By the whole name, in lower case.
const NAMES: &[(&str, Role)] = &[
    // SDKs
    ("aws-cli", Sdk("aws-cli")),
    ("boto3", Sdk("boto3")),
    ("boto", Sdk("boto2")),
    ("botocore", Base("botocore")),
    ("aiobotocore", Base("aiobotocore")),
    ("aws-sdk-go", Sdk("go-v1")),
    ("aws-sdk-go-v2", Sdk("go-v2")),
    ("aws-sdk-nodejs", Sdk("js-v2")),
    ("aws-sdk-js", Sdk("js-v3")),
    ("aws-sdk-java", Sdk("java")),
    ("aws-sdk-kotlin", Sdk("kotlin")),
    ("aws-sdk-swift", Sdk("swift")),
    ("aws-sdk-ios", Sdk("ios")),
    ("aws-sdk-android", Sdk("android")),
    ("aws-sdk-unity", Sdk("unity")),
    ("aws-sdk-ruby", Sdk("ruby-v1")),
    ("aws-sdk-ruby2", Sdk("ruby-v2")),
    ("aws-sdk-ruby3", Sdk("ruby-v3")),
    ("aws-sdk-rust", Sdk("rust")),
    ("aws-sdk-php", Sdk("php")),
    ("aws-sdk-php2", Sdk("php-v2")),
    ("aws-sdk-cpp", Sdk("cpp")),
    ("awspowershell", Sdk("powershell")),
    ("awspowershell.common", Sdk("powershell")),
    ("awspowershell.netcore", Sdk("powershell")),
    ("minio-go", Sdk("minio-go")),
    // Infrastructure as code
    ("terraform", Role::Tool("Terraform", Iac)),
    ("opentofu", Role::Tool("OpenTofu", Iac)),
    (
        "terraform-provider-aws",
        Role::Tool("terraform-provider-aws", Iac),
    ),
    (
        "terraform-provider-awscc",
        Role::Tool("terraform-provider-awscc", Iac),
    ),
    ("terragrunt", Role::Tool("Terragrunt", Iac)),
    ("pulumi", Role::Tool("Pulumi", Iac)),
    ("pulumiawsnative", Role::Tool("Pulumi", Iac)),
    ("pulumi-aws", Role::Tool("Pulumi", Iac)),
    ("aws-cdk", Role::Tool("aws-cdk", Iac)),
    ("aws-sam-cli", Role::Tool("aws-sam-cli", Iac)),
    ("serverless", Role::Tool("Serverless", Iac)),
    ("ansible", Role::Tool("Ansible", Iac)),
    ("packer", Role::Tool("Packer", Iac)),
    ("vault", Role::Tool("Vault", Tool)),
    ("crossplane", Role::Tool("Crossplane", Iac)),
    // Files in S3
    ("s3 browser", Role::Tool("S3 Browser", S3Tool)),
    ("rclone", Role::Tool("rclone", S3Tool)),
    ("cyberduck", Role::Tool("Cyberduck", S3Tool)),
    ("mountain duck", Role::Tool("Mountain Duck", S3Tool)),
    ("minio", Role::Tool("MinIO", S3Tool)),
    ("restic", Role::Tool("restic", S3Tool)),
    ("s3cmd", Role::Tool("s3cmd", S3Tool)),
    ("s5cmd", Role::Tool("s5cmd", S3Tool)),
    ("s3fs", Role::Tool("s3fs", S3Tool)),
    ("goofys", Role::Tool("goofys", S3Tool)),
    ("mountpoint-s3", Role::Tool("mountpoint-s3", S3Tool)),
    ("winscp", Role::Tool("WinSCP", S3Tool)),
    ("filezilla", Role::Tool("FileZilla", S3Tool)),
    ("transmit", Role::Tool("Transmit", S3Tool)),
    ("cloudberry", Role::Tool("CloudBerry", S3Tool)),
    ("cloudberry lab", Role::Tool("CloudBerry", S3Tool)),
    ("msp360", Role::Tool("MSP360", S3Tool)),
    ("arq", Role::Tool("Arq", S3Tool)),
    ("duplicati", Role::Tool("Duplicati", S3Tool)),
    ("duplicacy", Role::Tool("Duplicacy", S3Tool)),
    ("kopia", Role::Tool("Kopia", S3Tool)),
    ("velero", Role::Tool("Velero", S3Tool)),
    ("goodsync", Role::Tool("GoodSync", S3Tool)),
    ("synology", Role::Tool("Synology", S3Tool)),
    ("commvault", Role::Tool("Commvault", S3Tool)),
    ("veeam", Role::Tool("Veeam", S3Tool)),
    ("veeam backup and replication", Role::Tool("Veeam", S3Tool)),
    // Other programs
    ("cwagent", Role::Tool("CWAgent", Tool)),
    ("ec2-api-tools", Role::Tool("ec2-api-tools", Tool)),
    // Attack tools
    ("trufflehog", Role::Tool("TruffleHog", AttackTool)),
    ("pacu", Role::Tool("Pacu", AttackTool)),
    ("cloudfox", Role::Tool("CloudFox", AttackTool)),
    ("scoutsuite", Role::Tool("ScoutSuite", AttackTool)),
    ("nebula", Role::Tool("Nebula", AttackTool)),
    ("weirdaal", Role::Tool("weirdAAL", AttackTool)),
    ("endgame", Role::Tool("Endgame", AttackTool)),
    (
        "stratus-red-team",
        Role::Tool("stratus-red-team", AttackTool),
    ),
    ("grimoire", Role::Tool("grimoire", AttackTool)),
    ("nuclei", Role::Tool("nuclei", AttackTool)),
    ("aws_consoler", Role::Tool("aws_consoler", AttackTool)),
    // Plain HTTP
    (
        "python-requests",
        Role::Tool("python-requests", HttpLibrary),
    ),
    ("python-urllib", Role::Tool("Python-urllib", HttpLibrary)),
    ("python-httpx", Role::Tool("python-httpx", HttpLibrary)),
    ("aiohttp", Role::Tool("aiohttp", HttpLibrary)),
    ("curl", Role::Tool("curl", HttpLibrary)),
    ("wget", Role::Tool("Wget", HttpLibrary)),
    ("go-http-client", Role::Tool("Go-http-client", HttpLibrary)),
    (
        "apache-httpclient",
        Role::Tool("Apache-HttpClient", HttpLibrary),
    ),
    ("okhttp", Role::Tool("okhttp", HttpLibrary)),
    ("axios", Role::Tool("axios", HttpLibrary)),
    ("node-fetch", Role::Tool("node-fetch", HttpLibrary)),
    ("postmanruntime", Role::Tool("PostmanRuntime", HttpLibrary)),
    ("guzzlehttp", Noise),
    // AWS's own
    ("aws-internal", Role::Tool("", AwsInternal)),
    ("coral", Role::Tool("Coral", AwsInternal)),
    ("jersey", Role::Tool("Jersey", Console)),
    // Languages
    ("python", Runtime("python")),
    ("java", Runtime("java")),
    ("ruby", Runtime("ruby")),
    ("jruby", Runtime("jruby")),
    ("go", Runtime("go")),
    ("php", Runtime("php")),
    (".net_core", Runtime("dotnet")),
    (".net_framework", Runtime("dotnet")),
    (".net_runtime", Runtime("dotnet")),
    ("powershellcore", Runtime("powershell")),
    ("windowspowershell", Runtime("powershell")),
    // Systems
    ("linux", Os("linux")),
    ("darwin", Os("macos")),
    ("macos", Os("macos")),
    ("mac_os_x", Os("macos")),
    ("mac os x", Os("macos")),
    ("windows", Os("windows")),
    ("win32", Os("windows")),
    ("microsoft_windows", Os("windows")),
    ("android", Os("android")),
    ("ios", Os("ios")),
    ("ipados", Os("ios")),
    ("freebsd", Os("freebsd")),
    // Processors
    ("x86_64", Arch),
    ("amd64", Arch),
    ("arm64", Arch),
    ("aarch64", Arch),
    ("i386", Arch),
    ("i686", Arch),
    // Marks that come and go with the call
    ("apn", Noise),
    ("hashicorp", Noise),
    ("hashicorp-terraform-exec", Noise),
    ("promise", Noise),
    ("callback", Noise),
    ("resource", Noise),
    ("waiter", Noise),
    ("paginated", Noise),
    ("paginator", Noise),
    ("session", Noise),
    ("clientasync", Noise),
    ("clientsync", Noise),
    ("s3transfer", Noise),
    ("s3manager", Noise),
    ("exe", Noise),
    ("source", Noise),
    ("prompt", Noise),
    ("vendor", Noise),
    ("kotlin", Noise),
    ("scala", Noise),
    ("clojure", Noise),
    ("groovy", Noise),
    ("gcc", Noise),
    ("clang", Noise),
    ("msvc", Noise),
    ("io", Noise),
    ("http", Noise),
    ("cfg", Noise),
    ("ft", Noise),
    ("no", Noise),
    ("build", Noise),
    ("date", Noise),
    ("retry-mode", Noise),
];

/// By how the name begins, in lower case; the first that fits.
const PREFIXES: &[(&str, Role)] = &[
    ("aws-sdk-dotnet-core/", Noise),
    ("aws-sdk-dotnet", Sdk("dotnet")),
    ("aws-sdk-net", Sdk("dotnet")),
    ("awstools.", Sdk("powershell")),
    (
        "stratus-red-team_",
        Role::Tool("stratus-red-team", AttackTool),
    ),
    ("grimoire_", Role::Tool("grimoire", AttackTool)),
    ("ansible-", Role::Tool("Ansible", Iac)),
    ("openjdk", Noise),
    ("java_hotspot", Noise),
    ("dynamic_code_evolution", Noise),
    ("inputs:", Noise),
    ("outputs:", Noise),
];

/// What a name stands for, if it is known.
pub(super) fn role(name: &str) -> Option<Role> {
    let name = name.to_ascii_lowercase();
    let exact = NAMES.iter().find(|(known, _)| *known == name);
    let begins = || PREFIXES.iter().find(|(start, _)| name.starts_with(start));
    exact.or_else(begins).map(|(_, role)| *role)
}

/// Where the SDK found the credentials, by the letter in `m/`.
const CREDENTIAL_LETTERS: &[(&str, &str)] = &[
    ("e", "code"),
    ("f", "jvm-properties"),
    ("g", "env-vars"),
    ("h", "env-vars-web-identity"),
    ("i", "sts-assume-role"),
    ("j", "sts-assume-role-saml"),
    ("k", "web-identity"),
    ("l", "federation-token"),
    ("m", "session-token"),
    ("n", "profile"),
    ("o", "source-profile"),
    ("p", "named-provider"),
    ("q", "profile-web-identity"),
    ("r", "profile-sso"),
    ("s", "sso"),
    ("t", "profile-sso-legacy"),
    ("u", "sso-legacy"),
    ("v", "profile-process"),
    ("w", "process"),
    ("x", "boto2-config"),
    ("z", "container"),
    ("0", "instance-metadata"),
    ("3", "env-vars-bearer-token"),
    ("AC", "profile-login"),
    ("AD", "login"),
];

/// The same, as the Java SDK writes it in `cfg/auth-source`.
const AUTH_SOURCES: &[(&str, &str)] = &[
    ("stat", "code"),
    ("prof", "profile"),
    ("env", "env-vars"),
    ("sys", "jvm-properties"),
    ("stsrole", "sts-assume-role"),
    ("sso", "sso"),
    ("imds", "instance-metadata"),
    ("unknown", "unknown"),
];

fn named(table: &[(&str, &'static str)], key: &str) -> Option<&'static str> {
    let entry = table.iter().find(|(known, _)| *known == key);
    entry.map(|(_, name)| *name)
}

pub(super) fn credential_letter(letter: &str) -> Option<&'static str> {
    named(CREDENTIAL_LETTERS, letter)
}

pub(super) fn auth_source(value: &str) -> Option<&'static str> {
    named(AUTH_SOURCES, value)
}
