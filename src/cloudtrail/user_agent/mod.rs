//! What a user agent says about the program behind a call.
//!
//! In: the text of `userAgent`. Out: [`UserAgent`]: SDK, language, system, where it runs, where it found its credentials.
//! Promise: any text has a result. It is what the client said of itself: evidence, never proof.
//!
//! ```text
//! agent   = "[" body "]" | body           brackets: S3 and a few others
//! body    = service | browser | name ", " parts | parts
//! parts   = part *(" " part)
//! part    = name "/" version | "(" comment ")" | word
//! ```

mod browser;
mod names;
mod parse;
#[cfg(test)]
mod tests;
mod token;

use std::fmt;

/// What kind of program calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Family {
    /// The AWS command line.
    Cli,
    /// An SDK and nothing that says what uses it.
    Sdk,
    /// An SDK and the name of a program.
    SdkWithTool,
    /// Infrastructure as code: Terraform, Pulumi, CDK, Ansible, …
    Iac,
    /// Another program.
    Tool,
    /// A program for files in S3.
    S3Tool,
    /// Plain HTTP, without an SDK.
    HttpLibrary,
    /// A program that attackers use.
    AttackTool,
    /// The AWS console.
    Console,
    /// A browser.
    Browser,
    /// An AWS service.
    AwsService,
    /// Machinery of AWS.
    AwsInternal,
    /// There is no user agent.
    #[default]
    None,
    /// A text that names no program.
    Unknown,
}

impl Family {
    /// The family's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Family::Cli => "cli",
            Family::Sdk => "sdk",
            Family::SdkWithTool => "sdk+tool",
            Family::Iac => "iac",
            Family::Tool => "tool",
            Family::S3Tool => "s3-tool",
            Family::HttpLibrary => "http-library",
            Family::AttackTool => "attack-tool",
            Family::Console => "console",
            Family::Browser => "browser",
            Family::AwsService => "aws-service",
            Family::AwsInternal => "aws-internal",
            Family::None => "none",
            Family::Unknown => "unknown",
        }
    }
}

impl Family {
    /// The family of a tool by its name in the table of names.
    fn tool(name: &str) -> Option<Self> {
        let tools = [
            Family::AttackTool,
            Family::AwsInternal,
            Family::Console,
            Family::HttpLibrary,
            Family::Iac,
            Family::S3Tool,
            Family::Tool,
        ];
        tools.into_iter().find(|family| family.as_str() == name)
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The parts of a user agent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserAgent {
    /// Whether it stood in brackets.
    pub bracketed: bool,
    /// What kind of program it is.
    pub family: Family,
    /// The SDK, e.g. `boto3`, `go-v2`.
    pub sdk: Option<String>,
    /// Its version.
    pub sdk_version: Option<String>,
    /// The language's runtime, e.g. `python`.
    pub runtime: Option<String>,
    /// Its version.
    pub runtime_version: Option<String>,
    /// The operating system: `linux`, `macos`, `windows`, …
    pub os: Option<String>,
    /// Its version; on Linux the kernel's.
    pub os_version: Option<String>,
    /// The processor.
    pub arch: Option<String>,
    /// Where it says it runs: `AWS_EXECUTION_ENV`, e.g. `AWS_Lambda_python3.12`.
    pub exec_env: Option<String>,
    /// The program, e.g. `Terraform`.
    pub tool: Option<String>,
    /// Its version.
    pub tool_version: Option<String>,
    /// The client library of the service that was called, e.g. `sts#1.33.17`.
    pub api: Option<String>,
    /// Where the SDK found the credentials (letters of `m/`), e.g. `env-vars`, `profile`, `code`.
    pub credential_sources: Vec<String>,
    /// The command that was typed, e.g. `s3.sync`.
    pub command: Option<String>,
    /// The terminal session of the command line, renewed when idle.
    pub cli_session: Option<String>,
    /// The Linux distribution, e.g. `ubuntu.24`.
    pub distrib: Option<String>,
    /// The application id that its owner set.
    pub app_id: Option<String>,
    /// The version of the format.
    pub ua_spec: Option<String>,
    /// How the command line was built: `exe/…` or `source/…` with processor and distribution.
    pub executable: Option<String>,
}

/// Kernels and systems that tell where a machine runs, by what their version contains; the first that fits.
const FLAVOURS: &[(&str, &str)] = &[
    ("kali", "kali"),
    ("parrot", "parrot"),
    ("pentoo", "pentoo"),
    ("amzn2int", "amazon-internal"),
    ("amzn", "amazon-linux"),
    ("-azure", "azure"),
    ("-aws", "aws"),
    ("-gcp", "gcp"),
    ("-gke", "gke"),
    ("-oracle", "oracle"),
    ("icrosoft", "wsl"),
    ("linuxkit", "docker-desktop"),
    (".el", "enterprise-linux"),
    ("uek", "enterprise-linux"),
    (".fc", "fedora"),
    ("-generic", "ubuntu"),
    ("+deb", "debian"),
    ("+rpt", "raspberry-pi"),
];

impl UserAgent {
    /// Reads a user agent. Never fails.
    pub fn parse(text: &str) -> Self {
        parse::parse(text)
    }

    /// Whose kernel or distribution it is, where that tells something: `amazon-linux`, `azure`, `wsl`, `kali`, …
    pub fn flavour(&self) -> Option<&'static str> {
        let texts = [&self.distrib, &self.executable, &self.os_version];
        let holds = |part: &str| {
            texts
                .iter()
                .any(|text| text.as_deref().is_some_and(|text| text.contains(part)))
        };
        let found = FLAVOURS.iter().find(|(part, _)| holds(part));
        found.map(|(_, flavour)| *flavour)
    }

    /// Where it says it runs, without versions and run ids: `lambda`, `ecs-fargate`, `ecs-ec2`, `cloudshell`, or the text.
    pub fn exec_env_class(&self) -> Option<String> {
        let env = self.exec_env.as_deref()?;
        let class = match env {
            "AWS_ECS_FARGATE" => "ecs-fargate",
            "AWS_ECS_EC2" => "ecs-ec2",
            "CloudShell" => "cloudshell",
            _ if env.starts_with("AWS_Lambda") => "lambda",
            _ => match env.rsplit_once('_') {
                Some((name, id)) if id.len() >= 32 => name,
                _ => env,
            },
        };
        Some(class.to_owned())
    }

    /// The application that its owner named (`app/…`), without version and run ids.
    pub fn application(&self) -> Option<String> {
        let app = self.app_id.as_deref()?;
        let name = app.split('#').next().unwrap_or(app);
        let name = names::lasting(names::unversioned(name).0);
        (!name.is_empty()).then_some(name)
    }

    /// What stays the same from call to call and from process to process: family, SDK with major and minor version,
    /// language, system, where it runs, program, application.
    pub fn canonical(&self) -> String {
        self.identity(2)
    }

    /// What also stays the same when the program is updated: [`UserAgent::canonical`] with the SDK's major version only.
    pub fn program(&self) -> String {
        self.identity(1)
    }

    fn identity(&self, sdk_parts: usize) -> String {
        let versioned = |name: &Option<String>, version: &Option<String>, parts: usize| {
            let name = name.as_deref()?;
            let release = version
                .as_deref()
                .and_then(|version| release(version, parts));
            Some(match release {
                Some(version) => format!("{name}/{version}"),
                None => name.to_owned(),
            })
        };
        let parts = [
            Some(self.family.to_string()),
            self.tool.clone(),
            versioned(&self.sdk, &self.sdk_version, sdk_parts),
            versioned(&self.runtime, &self.runtime_version, 1),
            self.os.clone(),
            self.flavour().map(str::to_owned),
            self.exec_env_class(),
            self.application().map(|app| format!("app/{app}")),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        parts.join(" ")
    }
}

/// The first parts of a version, e.g. `1.34` of `1.34.69`.
fn release(version: &str, parts: usize) -> Option<String> {
    let numbers: Vec<&str> = version.split('.').take(parts).collect();
    let numeric = numbers
        .iter()
        .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    numeric.then(|| numbers.join("."))
}
