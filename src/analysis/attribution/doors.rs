//! Changes that let somebody in: a user, a password, a role's trust, code, machines and stacks that run with rights.
//!
//! In: calls in IAM, Lambda, EC2, ECS, Systems Manager and CloudFormation, and who calls. Out: [`Door`]s, and whether somebody came in through one. Promise: what was done before the
//! change came through no door; through a role's trust only those come whom the change newly named; what is changed back, or
//! removed, is shut. Into a machine that was there before, somebody *may* have come.

use crate::analysis::findings::principals;
use crate::json::Value;
use crate::json::path::Path;
use std::collections::HashMap;
use std::sync::LazyLock;

/// What a change opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::analysis) enum Way {
    /// A user: everything that it does.
    User,
    /// A user's password: console sessions.
    Password,
    /// A role's trust: sessions of those whom it names.
    Role,
    /// A function's code or settings: its sessions.
    Function,
    /// An instance or a task: its sessions.
    Machine,
    /// A machine or a task that was there: its sessions may be somebody else's from then on.
    Host,
    /// What CloudFormation does for a caller, or with a role that it was given.
    Stack,
    /// A role that a console session switched to.
    Switch,
}

/// What a call does to a way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Opens,
    /// Opens, and shuts what others opened in the same way.
    Replaces,
    Shuts,
}

/// A call of the table.
struct Call {
    way: Way,
    effect: Effect,
    /// Where the name of what is changed is.
    path: &'static str,
}

const TABLE: &str = include_str!("doors.tsv");

static CALLS: LazyLock<HashMap<(&str, &str), Call>> = LazyLock::new(|| rows().collect());

fn rows() -> impl Iterator<Item = ((&'static str, &'static str), Call)> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| {
        let mut cells = line.split('\t');
        let called = (cells.next()?, cells.next()?);
        let way = match cells.next()? {
            "user" => Way::User,
            "password" => Way::Password,
            "role" => Way::Role,
            "function" => Way::Function,
            "machine" => Way::Machine,
            "host" => Way::Host,
            "stack" => Way::Stack,
            "switch" => Way::Switch,
            _ => return None,
        };
        let effect = match cells.next()? {
            "opens" => Effect::Opens,
            "replaces" => Effect::Replaces,
            "shuts" => Effect::Shuts,
            _ => return None,
        };
        let path = cells.next()?;
        Some((called, Call { way, effect, path }))
    })
}

/// What CloudFormation does for a stack, without more calls by its caller, does not take longer.
const STACK: i64 = 3_600_000_000;

/// The service that makes what a stack has, with the caller's rights or with those of a role.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html>
const STACKS: &str = "cloudformation.amazonaws.com";

/// The name of machines that a call does not name: tags, a resource group, or all of an account.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command-targets.html>
pub(super) const CHOSEN: &str = "machines chosen by tags or groups";

/// Whether a session is of an instance, or of a machine outside that Systems Manager knows.
pub(in crate::analysis) fn is_machine(session: &str) -> bool {
    session.starts_with("i-") || session.starts_with("mi-")
}

/// A change, as its record has it.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::analysis) struct Change<'a> {
    /// Without `.amazonaws.com`.
    pub(in crate::analysis) service: &'a str,
    pub(in crate::analysis) operation: &'a str,
    pub(in crate::analysis) account: &'a str,
    /// The caller's ARN, and its name if it is a user.
    pub(in crate::analysis) caller: (&'a str, &'a str),
    pub(in crate::analysis) request: &'a str,
    pub(in crate::analysis) response: &'a str,
    pub(in crate::analysis) time: i64,
}

/// A way in that was opened or shut.
#[derive(Debug, Clone)]
pub(in crate::analysis) struct Door {
    pub(in crate::analysis) way: Way,
    pub(super) effect: Effect,
    /// The call.
    pub(in crate::analysis) operation: String,
    pub(super) account: String,
    /// What was changed; several instances may be launched at once.
    pub(in crate::analysis) names: Vec<String>,
    pub(in crate::analysis) time: i64,
    /// The role that a function has.
    role: Option<String>,
    /// The function's ARN, which says in which region it is.
    arn: Option<String>,
    /// Whom a role's trust names, and whom of them it did not name before.
    pub(super) named: Vec<String>,
    pub(super) newly: Vec<String>,
}

/// Who calls, as far as it tells whether somebody came in through a door.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::analysis) struct Who<'a> {
    /// The caller's account.
    pub(in crate::analysis) account: &'a str,
    pub(in crate::analysis) arn: &'a str,
    /// The unique id, without the name of a session.
    pub(in crate::analysis) id: &'a str,
    /// The name of an IAM user.
    pub(in crate::analysis) user: &'a str,
    /// The ARN of a session's role.
    pub(in crate::analysis) role: &'a str,
    /// The function that the session was issued to.
    pub(in crate::analysis) function: &'a str,
    /// The service that called by itself.
    pub(in crate::analysis) service: &'a str,
    /// The service that called for somebody else.
    pub(in crate::analysis) via: &'a str,
    /// The identity provider that vouched for it.
    pub(in crate::analysis) provider: &'a str,
    /// Whether a password opened the session.
    pub(in crate::analysis) is_console: bool,
}

impl<'a> Who<'a> {
    /// Of a record: its columns, the service that called as `service`, and the type of its caller, which decides what they mean. Of a
    /// session's unique id, the session's name is left out.
    pub(in crate::analysis) fn of_kind(self, kind: &str) -> Self {
        let only = |is: &str, text: &'a str| if kind == is { text } else { "" };
        Self {
            id: self.id.split(':').next().unwrap_or_default(),
            user: only("IAMUser", self.user),
            service: only("AWSService", self.service),
            via: match kind {
                "AWSService" => "",
                _ => self.service,
            },
            ..self
        }
    }
}

/// A role that is assumed: its account and its name.
#[derive(Debug, Clone, Copy)]
pub(in crate::analysis) struct Assumed<'a> {
    pub(in crate::analysis) account: &'a str,
    pub(in crate::analysis) name: &'a str,
}

impl<'a> Assumed<'a> {
    /// Of the ARN of a session, `arn:aws:sts::111122223333:assumed-role/name/session`.
    pub(in crate::analysis) fn of(arn: &'a str) -> Option<Self> {
        let (head, rest) = arn.split_once(":assumed-role/")?;
        Some(Self {
            account: head.rsplit(':').next()?,
            name: rest.split('/').next()?,
        })
    }
}

/// The name at the end of an ARN or a path; of a function without its version.
pub(super) fn name_of(id: &str) -> &str {
    match id.split_once(":function:") {
        Some((_, name)) => name.split(':').next().unwrap_or(name),
        None => id.rsplit('/').next().unwrap_or(id),
    }
}

impl Door {
    /// What a change opens or shuts, if anything.
    pub(in crate::analysis) fn of(change: Change<'_>) -> Option<Self> {
        let &Call { way, effect, path } = CALLS.get(&(change.service, change.operation))?;
        let request = Value::parse(change.request).unwrap_or_default();
        let response = Value::parse(change.response).unwrap_or_default();
        let (caller, user) = change.caller;
        let names: Vec<String> = match way {
            Way::Machine => values(&response, path),
            Way::Switch => vec![caller.to_owned()],
            Way::Stack => match values(&request, path).first() {
                Some(role) => vec![of_stack(name_of(role))],
                None => vec![caller.to_owned()],
            },
            Way::Host => [values(&request, path), targets(&request)].concat(),
            _ => match values(&request, path) {
                none if none.is_empty() && way == Way::Password => vec![user.to_owned()],
                names => names,
            },
        };
        let names = names.iter().map(|name| match way {
            Way::Switch | Way::Stack => name.clone(),
            _ => name_of(name).to_owned(),
        });
        let names: Vec<String> = names.collect();
        // A dry run changes nothing.
        let is_rehearsed =
            way == Way::Function && matches!(request.get("dryRun"), Some(Value::Bool(true)));
        if names.iter().all(String::is_empty) || is_rehearsed {
            return None;
        }
        let text = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).map(str::to_owned);
        let policy = match change.operation {
            "CreateRole" => text(&request, "assumeRolePolicyDocument"),
            "UpdateAssumeRolePolicy" => text(&request, "policyDocument"),
            _ => None,
        };
        let named = policy.map(|policy| principals(&policy)).unwrap_or_default();
        let answered = |name: &str| text(&response, name).filter(|_| way == Way::Function);
        Some(Self {
            way,
            effect,
            operation: change.operation.to_owned(),
            account: change.account.to_owned(),
            names,
            time: change.time,
            role: answered("role"),
            arn: answered("functionArn"),
            newly: named.clone(),
            named,
        })
    }

    /// Whoever came in here, in words; with the event of the change.
    pub(in crate::analysis) fn words(&self, event_id: &str) -> String {
        let names = self.names.join(", ");
        let of = match self.way {
            Way::User => format!("user {names}"),
            Way::Password => format!("a console session of user {names}"),
            Way::Role => format!("a session of role {names}"),
            Way::Function => format!("function {names}"),
            Way::Machine | Way::Host => names,
            Way::Stack => format!("CloudFormation for {names}"),
            Way::Switch => format!("a console session that switched to {names}"),
        };
        format!(
            "{of}, after the intruder's {} (event {event_id})",
            self.operation
        )
    }

    /// Whether a session that began then came in here.
    pub(super) fn holds(&self, who: Who<'_>, since: i64) -> bool {
        if self.effect == Effect::Shuts || since < self.time {
            return false;
        }
        match self.way {
            Way::User => true,
            Way::Password => who.is_console,
            Way::Role => self.newly.iter().any(|named| self.lets(named, who)),
            Way::Machine | Way::Host | Way::Switch => true,
            Way::Stack => since - self.time <= STACK,
            Way::Function if who.function.is_empty() => {
                self.role.as_deref().is_none_or(|role| role == who.role)
            }
            Way::Function => {
                let arn = self.arn.as_deref();
                arn.is_none_or(|arn| without_version(arn) == without_version(who.function))
            }
        }
    }

    /// Whether somebody is whom a role's trust names. That it names its own account says nothing: rights in the account decide.
    fn lets(&self, named: &str, who: Who<'_>) -> bool {
        let is_outside = !who.account.is_empty() && who.account != self.account;
        let is_account = |id: &str| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
        if named == "*" {
            return is_outside && who.service.is_empty();
        }
        if is_account(named) {
            return is_outside && who.account == named;
        }
        let mut parts = named.splitn(6, ':').skip(4);
        let (account, rest) = (parts.next().unwrap_or_default(), parts.next());
        match rest {
            Some("root") => is_outside && who.account == account,
            Some(_) if named.contains(":iam:") && !who.provider.is_empty() => who.provider == named,
            // The log of the role's account knows a caller from elsewhere by account and unique id only.
            Some(_) if who.arn.is_empty() => is_outside && who.account == account,
            Some(_) => [who.arn, who.role].contains(&named),
            None => [who.service, who.id, who.provider].contains(&named),
        }
    }
}

/// The machines at which Systems Manager is to aim.
fn targets(request: &Value) -> Vec<String> {
    let path = Path::parse("targets[]").unwrap_or_default();
    let targets = path.values(request).into_iter().flat_map(|target| {
        match target.get("key").and_then(Value::as_str) {
            Some("InstanceIds" | "ParameterValues") => values(target, "values[]"),
            _ => vec![CHOSEN.to_owned()],
        }
    });
    let every = |name: String| match name.as_str() {
        "*" => CHOSEN.to_owned(),
        _ => name,
    };
    let mut names: Vec<String> = targets.map(every).collect();
    names.dedup();
    names
}

/// How the role that CloudFormation was given is known.
fn of_stack(role: &str) -> String {
    format!("role {role}")
}

impl Who<'_> {
    /// Under which names a stack acts as this caller.
    pub(super) fn stacks(&self) -> impl Iterator<Item = String> {
        let role = Assumed::of(self.arn).map(|role| of_stack(role.name));
        let names = role.into_iter().chain([self.arn.to_owned()]);
        names.filter(|_| self.via == STACKS)
    }
}

fn without_version(arn: &str) -> &str {
    let version = arn.match_indices(':').nth(6);
    version.map_or(arn, |(at, _)| &arn[..at])
}

fn values(document: &Value, path: &str) -> Vec<String> {
    let path = Path::parse(path).unwrap_or_default();
    let found = path.values(document).into_iter().filter_map(Value::as_str);
    found.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_call() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(rows().count(), lines);
        assert_eq!(CALLS.len(), lines, "a call stands twice");
        for call in CALLS.values() {
            let is_path = Path::parse(call.path).is_some();
            assert!(
                is_path || matches!(call.way, Way::Switch | Way::Stack),
                "{}",
                call.path
            );
        }
    }
}
