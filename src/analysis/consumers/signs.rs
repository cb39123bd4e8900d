//! The signs by which workloads are told apart.
//!
//! In: [`Facts`]. Out: for each sign that is seen, its words and how much it speaks for which workload. Promise: this is data; a
//! sign has no effect but its weights.

use super::agent::Agent;
use super::consumer::Workload;
use super::facts::{Facts, Origin};
use crate::cloudtrail::Family;

/// A sign: what it looks for, and how much it speaks for which workloads.
pub(super) struct Sign {
    pub(super) seen: fn(&Facts<'_>) -> Option<String>,
    pub(super) votes: &'static [(Workload, i32)],
}

use Origin::{
    Aws, AwsCloudShell, AwsCodeBuild, GitHub, Microsoft, OtherCloud as Elsewhere, Ours, OwnNetwork,
    Public, Vpc,
};
use Workload::{
    Ci, CloudShell, CodeBuild, Ec2, Ecs, Eks, GitHubActions, Lambda, OnPremises, OtherCloud,
    Person, ThirdParty, Unknown,
};

macro_rules! signs {
    ($($facts:ident: $seen:expr => $($workload:ident $weight:literal),+;)*) => {
        /// Every sign.
        pub(super) const SIGNS: &[Sign] = &[
            $(Sign { seen: |$facts| $seen, votes: &[$(($workload, $weight)),+] },)*
        ];
    };
}

/// SaaS that names itself in user agents without being in the table of vendors.
const SERVICES: &[&str] = &[
    "snowflake",
    "databricks",
    "fivetran",
    "cloudhealth",
    "segment",
    "stitch",
    "airbyte",
];

/// Programs of Kubernetes clusters.
const KUBERNETES: &[&str] = &[
    "k8s.aws",
    "cluster-autoscaler",
    "karpenter",
    "external-dns",
    "ebs-csi",
    "efs-csi",
];

/// Build services that name themselves.
const BUILD_SERVICES: &[&str] = &[
    "jenkins",
    "gitlab",
    "circleci",
    "bitbucket",
    "buildkite",
    "teamcity",
    "azure-pipelines",
    "drone",
];

/// Programs that keep copies, mostly of servers.
const BACKUP: &[&str] = &[
    "veeam",
    "commvault",
    "synology",
    "restic",
    "duplicati",
    "duplicacy",
    "kopia",
    "rclone",
    "arq",
    "minio",
];

/// Kernels that no cloud makes for itself.
const PLAIN_KERNELS: &[&str] = &[
    "enterprise-linux",
    "ubuntu",
    "debian",
    "raspberry-pi",
    "fedora",
];

/// Where a profile finds the credentials of a person.
const SIGN_IN: &[&str] = &[
    "sso",
    "profile-sso",
    "login",
    "profile-login",
    "sso-legacy",
    "profile-sso-legacy",
];

fn said(condition: bool, text: &str) -> Option<String> {
    condition.then(|| text.to_owned())
}

fn one_of(facts: &Facts<'_>, tools: &[&str]) -> Option<String> {
    tools.iter().find_map(|tool| facts.tool(tool))
}

fn builds_infrastructure(facts: &Facts<'_>) -> bool {
    facts.any(|agent| agent.ua.family == Family::Iac).is_some()
}

fn desktop(facts: &Facts<'_>) -> Option<String> {
    let agent = facts.any(|agent| agent.desktop.is_some())?;
    Some(format!("it runs on a desktop: {}", agent.desktop?))
}

fn windows_server(facts: &Facts<'_>) -> bool {
    let server =
        |agent: &Agent| agent.ua.os.as_deref() == Some("windows") && agent.desktop.is_none();
    facts.any(server).is_some()
}

fn plain_kernel(facts: &Facts<'_>) -> Option<String> {
    let kernel = facts.flavour(PLAIN_KERNELS)?;
    Some(format!("the kernel is from {kernel}, not from a cloud"))
}

fn plain_neighbour(facts: &Facts<'_>) -> Option<String> {
    let found = PLAIN_KERNELS
        .iter()
        .find(|kernel| facts.neighbours.contains(*kernel))?;
    Some(format!("other programs at these addresses run on {found}"))
}

fn signs_in(facts: &Facts<'_>) -> bool {
    let person = |agent: &Agent| {
        agent
            .ua
            .credential_sources
            .iter()
            .any(|source| SIGN_IN.contains(&source.as_str()))
    };
    facts.any(person).is_some()
}

fn terminals(facts: &Facts<'_>) -> bool {
    let cli = |agent: &Agent| agent.ua.family == Family::Cli && agent.exec_env.is_none();
    facts.sessions > 2 && facts.any(cli).is_some()
}

/// A runner may have an address that the ranges do not know yet.
fn some_of_github(facts: &Facts<'_>) -> bool {
    let runners = facts.rotating && !facts.mostly(&[GitHub]) && facts.share(&[GitHub]) >= 0.05;
    runners && facts.mostly(&[GitHub, Microsoft, Public, Elsewhere])
}

/// Programs on instances have few addresses, which stay; what has more, and says nothing of an instance's kernel, is
/// more likely made of functions.
fn like_functions(facts: &Facts<'_>) -> bool {
    const INSTANCES: usize = 4;
    let kernel = facts.any(|agent| agent.flavour.is_some());
    facts.rotating && facts.mostly(&[Aws]) && facts.addresses > INSTANCES && kernel.is_none()
}

fn ours(facts: &Facts<'_>) -> Option<String> {
    let name = facts.named_network.as_deref().unwrap_or("in the log");
    (facts.share(&[Ours]) > 0.0).then(|| format!("an address is in our network {name}"))
}

fn own_network(facts: &Facts<'_>) -> Option<String> {
    let name = facts
        .named_network
        .as_deref()
        .unwrap_or("one of our networks");
    facts
        .mostly(&[OwnNetwork])
        .then(|| format!("it calls from {name}"))
}

signs! {
    // What the program says of itself.
    f: f.exec_env("lambda") => Lambda 12;
    f: f.exec_env("ecs-fargate") => Ecs 12;
    f: f.exec_env("ecs-ec2") => Ecs 7, CodeBuild 5;
    f: f.exec_env("cloudshell") => CloudShell 12;
    f: f.tool("github-actions") => GitHubActions 9;
    f: one_of(f, BUILD_SERVICES) => Ci 8;
    f: one_of(f, KUBERNETES) => Eks 8;
    f: one_of(f, SERVICES) => ThirdParty 8;
    f: f.vendor.as_ref().map(|vendor| format!("{vendor} is a vendor")) => ThirdParty 8;
    f: desktop(f) => Person 7;
    f: one_of(f, BACKUP) => OnPremises 2;
    f: said(builds_infrastructure(f), "it is an infrastructure-as-code tool") => Ci 2, GitHubActions 1;
    f: f.any(|agent| agent.suspicion().is_some())?.suspicion() => Unknown 20;
    // The kernel.
    f: said(f.flavour(&["amazon-linux"]).is_some(), "the kernel is Amazon Linux") => Ec2 4;
    f: said(f.flavour(&["aws"]).is_some(), "the kernel is built for AWS") => Ec2 4;
    f: said(f.flavour(&["azure"]).is_some() && f.rotating, "the kernel is Azure's, and the addresses keep changing")
        => GitHubActions 7, Ci 3, OtherCloud 2;
    f: said(f.flavour(&["azure"]).is_some() && !f.rotating, "the kernel is Azure's")
        => OtherCloud 4, GitHubActions 4, Ci 1;
    f: said(f.flavour(&["gcp", "gke", "oracle"]).is_some(), "the kernel is another cloud's") => OtherCloud 5;
    f: plain_kernel(f) => OnPremises 2;
    f: said(windows_server(f), "it runs on a Windows server") => OnPremises 2;
    f: said(f.neighbours.contains("amazon-linux"), "other programs at these addresses run on Amazon Linux") => Ec2 3;
    f: said(f.neighbours.contains("azure"), "other programs at these addresses run on Azure's kernel")
        => GitHubActions 6, OtherCloud 3;
    f: plain_neighbour(f) => OnPremises 2;
    // The addresses.
    f: ours(f) => Ec2 5;
    f: said(f.mostly(&[Vpc]), "it calls from private addresses, through VPC endpoints") => Ec2 5;
    f: said(f.mostly(&[Aws]) && !f.rotating, "it calls from AWS addresses") => Ec2 4, ThirdParty 1;
    f: said(f.mostly(&[Aws]) && f.rotating, "it calls from AWS addresses that keep changing") => Ec2 3, ThirdParty 1, Lambda 1;
    f: said(like_functions(f), "it has more addresses than instances have, and its user agent names no EC2 kernel") => Lambda 3;
    f: said(f.mostly(&[AwsCodeBuild]), "it calls from CodeBuild addresses") => CodeBuild 9;
    f: said(f.mostly(&[AwsCloudShell]), "it calls from Cloud9 addresses") => Ec2 4, Person 3;
    f: said(f.mostly(&[GitHub]), "it calls from GitHub addresses") => GitHubActions 6;
    f: said(some_of_github(f), "its addresses keep changing, and some are GitHub's") => GitHubActions 4;
    f: said(f.mostly(&[GitHub, Microsoft]) && f.rotating, "it calls from Microsoft and GitHub addresses that keep changing")
        => GitHubActions 3, Ci 2, OtherCloud 1;
    f: said(f.mostly(&[Microsoft]) && !f.rotating, "it calls from Microsoft addresses") => OtherCloud 4;
    f: said(f.mostly(&[Elsewhere]), "it calls from another cloud's addresses") => OtherCloud 4;
    f: own_network(f) => OnPremises 4, Person 1;
    f: said(f.mostly(&[Public]) && f.addresses <= 3, "it calls from a public address outside known clouds")
        => OnPremises 4, Person 1, Ec2 -2, Lambda -2, OtherCloud -2;
    f: said(f.mostly(&[Public]) && f.addresses > 3, "it calls from public addresses outside known clouds")
        => OnPremises 2, Person 2, Ec2 -2, Lambda -2, OtherCloud -2;
    // How it is used, and by what name.
    f: said(f.rotating && builds_infrastructure(f), "it builds infrastructure from addresses that keep changing")
        => Ci 2, GitHubActions 2;
    f: said(signs_in(f), "its profile signs in as a person") => Person 4;
    f: said(terminals(f), "several terminals were open") => Person 3;
    f: f.user_is_called(&["github", "gha", "actions"]) => GitHubActions 3;
    f: f.user_is_called(&["ci", "cicd"]) => Ci 2, GitHubActions 2;
    f: f.user_is_called(&["deploy", "build", "pipeline", "release"]) => Ci 1, GitHubActions 1;
    f: f.user_is_called(&["jenkins", "gitlab", "circleci", "bitbucket", "buildkite"]) => Ci 3;
    f: f.user_is_called(&["onprem", "dc", "datacenter", "nas", "backup"]) => OnPremises 2;
    f: f.user_is_called(&["lambda", "fn", "function"]) => Lambda 1;
    f: f.user_is_called(&["vendor", "partner", "external", "saas"]) => ThirdParty 2;
    f: f.user_is_called(&["ec2", "app", "server"]) => Ec2 1;
}
