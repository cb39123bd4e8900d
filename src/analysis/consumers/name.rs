//! The name of a consumer, for people.
//!
//! In: what is known of it. Out: e.g. `Lambda python3.12, eu-west-1, writes s3://acme-exports`. Promise: the program, where it
//! runs, and what it mostly does.

use super::agent::{Agent, BROWSER};
use super::consumer::{ApiUse, Counted, Workload, counted};
use std::collections::BTreeSet;

/// What a name is made of.
pub(super) struct Naming<'a> {
    pub(super) workload: Workload,
    pub(super) agent: &'a Agent,
    pub(super) home: &'a BTreeSet<String>,
    pub(super) regions: &'a [Counted],
    pub(super) api_calls: &'a [ApiUse],
    pub(super) resources: &'a [Counted],
}

/// Share of calls that change something from which on a consumer is one that writes.
const WRITES: f64 = 0.1;

impl Naming<'_> {
    pub(super) fn name(&self) -> String {
        let region = match (self.home.len(), self.regions) {
            (1, _) => self.home.first().cloned(),
            (_, [single]) => Some(single.name.clone()),
            _ => None,
        };
        let parts = [Some(self.head()), region, self.does()];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        parts.join(", ")
    }

    fn head(&self) -> String {
        let title = self.agent.title();
        match self.workload {
            Workload::Lambda => {
                let env = self.agent.ua.exec_env.as_deref();
                let runtime = env.and_then(|env| env.strip_prefix("AWS_Lambda_"));
                format!("Lambda {}", runtime.unwrap_or(&title))
            }
            Workload::Ec2 => format!("{title} on EC2"),
            Workload::Ecs => format!("{title} in ECS"),
            Workload::Eks => format!("{title} in EKS"),
            Workload::CodeBuild => format!("{title} in CodeBuild"),
            Workload::CloudShell => format!("{title} in CloudShell"),
            Workload::GitHubActions => format!("{title} in GitHub Actions"),
            Workload::Ci => format!("{title} in a build service"),
            Workload::OnPremises => format!("{title} on premises"),
            Workload::OtherCloud => format!("{title} in another cloud"),
            Workload::Person => match self.agent.desktop {
                Some(BROWSER) => title,
                Some(desktop) if desktop != title => format!("{title} on {desktop}"),
                _ => format!("{title} run by a person"),
            },
            Workload::ThirdParty => format!("{title}, third party"),
            Workload::Unknown => title,
        }
    }

    /// `writes s3://acme-exports`, `reads dynamodb, sqs`.
    fn does(&self) -> Option<String> {
        let total: u64 = self.api_calls.iter().map(|call| call.events).sum();
        let writes: u64 = self
            .api_calls
            .iter()
            .filter(|call| !call.read_only)
            .map(|call| call.events)
            .sum();
        let writing = writes as f64 >= WRITES * total as f64 && writes > 0;
        let verb = if writing { "writes" } else { "reads" };
        let counting = self
            .api_calls
            .iter()
            .filter(|call| call.read_only != writing);
        let services = counted(counting.map(|call| (call.event_source.as_str(), call.events)));
        let main = services.first()?;
        if main.name == "s3.amazonaws.com"
            && main.events * 2 > services.iter().map(|service| service.events).sum()
        {
            let buckets: BTreeSet<&str> = self
                .resources
                .iter()
                .filter_map(|resource| {
                    let (_, path) = resource.name.split_once(":s3:::")?;
                    path.split('/').next()
                })
                .collect();
            return Some(match buckets.len() {
                0 => format!("{verb} s3"),
                1 => format!("{verb} s3://{}", buckets.first()?),
                several => format!("{verb} {several} S3 buckets"),
            });
        }
        let short = services.iter().take(2).map(|service| {
            let name = service.name.strip_suffix(".amazonaws.com");
            name.unwrap_or(&service.name)
        });
        let more = if services.len() > 2 { ", …" } else { "" };
        let short: Vec<&str> = short.collect();
        Some(format!("{verb} {}{more}", short.join(", ")))
    }
}
