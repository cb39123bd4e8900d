//! From text to [`UserAgent`].
//!
//! In: a user agent as the record has it. Out: its parts. Promise: any text has a result; what is not understood is left out
//! of it, or becomes the name of an unknown program.

use super::names::{self, Role};
use super::token::{Token, tokens};
use super::{Family, UserAgent, browser};

/// A program's name is cut to this many characters: a text that is none can be as long as it likes.
const LONGEST_NAME: usize = 64;

/// Words that a program's name may have.
const MOST_WORDS: usize = 5;

pub(super) fn parse(raw: &str) -> UserAgent {
    let mut agent = UserAgent::default();
    let body = match raw
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        Some(body) => {
            agent.bracketed = true;
            body.trim()
        }
        None => raw.trim(),
    };
    if body.is_empty() {
        return agent;
    }
    if service(body, &mut agent) {
        return agent;
    }
    let mut reader = Reader {
        agent,
        ..Reader::default()
    };
    let mut rest = body;
    let mut before = None;
    while let Some((name, after)) = announced(rest) {
        // `job, Hadoop 3.3.4, aws-sdk-java/…`: the job stands before the program that runs it.
        if let Some(job) = before.replace(name) {
            reader.agent.app_id = some(job);
        }
        rest = after;
    }
    if let Some(name) = before {
        reader.announce(name);
    }
    let tokens = tokens(rest);
    if let Some(Token::Product("Mozilla", _)) = tokens.first() {
        browser::read(&tokens, &mut reader.agent);
        return reader.agent;
    }
    let named = match reader.tool.is_none() {
        true => reader.leading_name(&tokens),
        false => 0,
    };
    for token in &tokens[named..] {
        match token {
            Token::Product(name, version) => reader.product(name, version),
            Token::Word(word) => reader.word(word),
            Token::Comment(text) => reader.comment(text),
        }
    }
    reader.finish()
}

/// Names of AWS services and its console's hosts, and `AWS Internal`.
fn service(body: &str, agent: &mut UserAgent) -> bool {
    if body == "AWS Internal" || body.starts_with("AWS Internal/") {
        agent.family = Family::AwsInternal;
        return true;
    }
    let Some(host) = body.strip_suffix(".amazonaws.com") else {
        return false;
    };
    if host.contains([' ', '/']) {
        return false;
    }
    let (family, tool) = match host.strip_prefix("console") {
        Some("") => (Family::Console, None),
        Some(rest) if rest.starts_with('.') => (Family::Console, Some(rest[1..].to_uppercase())),
        _ if host == "signin" => (Family::Console, Some(host.to_owned())),
        _ => (Family::AwsService, Some(host.to_owned())),
    };
    agent.family = family;
    agent.tool = tool;
    true
}

/// `Name, aws-…`, `Job, Name, aws-…`: programs that announce themselves before the SDK.
fn announced(body: &str) -> Option<(&str, &str)> {
    let (name, rest) = body.split_once(", ")?;
    let plausible = |name: &str| !name.contains('(') && name.split(' ').count() <= MOST_WORDS;
    let leads = rest.starts_with("aws-")
        || rest
            .split_once(", ")
            .is_some_and(|(next, rest)| plausible(next) && rest.starts_with("aws-"));
    (plausible(name) && leads).then_some((name, rest))
}

/// What was read so far.
#[derive(Debug, Default)]
struct Reader {
    agent: UserAgent,
    /// The best known program so far, and its family.
    tool: Option<(String, Option<String>, Family)>,
    /// Whether a console or another program announced itself.
    announced: bool,
    internal: bool,
    base: Option<(&'static str, String)>,
    auth_source: Option<&'static str>,
}

impl Reader {
    fn announce(&mut self, name: &str) {
        let (name, version) = match name.split_once('/') {
            Some((name, version)) => (name, Some(version)),
            None => names::unversioned(name),
        };
        self.announced = true;
        let version = version.map(str::to_owned);
        self.tool = Some((short(name), version, Family::Tool));
    }

    /// A name of several words, or without a slash, at the beginning: how many tokens it takes.
    fn leading_name(&mut self, tokens: &[Token<'_>]) -> usize {
        let words: Vec<&str> = tokens
            .iter()
            .map_while(|token| match token {
                Token::Word(word) if !names::is_version(word) => Some(*word),
                _ => None,
            })
            .collect();
        if words.is_empty() {
            return 0;
        }
        let after = tokens.get(words.len());
        let (name, version, taken) = match after {
            Some(Token::Word(version)) => (words.join(" "), Some(*version), words.len() + 1),
            Some(Token::Product(last, version))
                if words.len() < MOST_WORDS && names::role(last).is_none() =>
            {
                let name = words.join(" ") + " " + last;
                (name, Some(*version), words.len() + 1)
            }
            _ => (words.join(" "), None, words.len()),
        };
        match names::role(&name) {
            Some(Role::Tool(known, family)) => self.program(known, version, family),
            _ if name.ends_with(" Console") => self.program(&name, version, Family::Console),
            Some(_) if words.len() == 1 => return 0,
            _ => self.unknown(&name, version),
        }
        taken
    }

    fn product(&mut self, name: &str, value: &str) {
        if self.meta(name, value) {
            return;
        }
        match names::role(name) {
            Some(Role::Sdk(label)) if self.agent.sdk.is_none() => {
                // JavaScript's version 2 in a browser has the name that version 3 took.
                let label = match (label, value.starts_with("2.")) {
                    ("js-v3", true) => "js-v2",
                    (label, _) => label,
                };
                self.agent.sdk = Some(label.to_owned());
                self.agent.sdk_version = some(without_v(value));
            }
            Some(Role::Base(label)) => self.base = Some((label, value.to_owned())),
            Some(Role::Tool("", Family::AwsInternal)) => self.internal = true,
            Some(Role::Tool(known, family)) => self.program(known, some(value).as_deref(), family),
            Some(Role::Runtime(runtime)) => self.runtime(runtime, value),
            Some(Role::Os(os)) if self.agent.sdk.as_deref() == Some("js-v2") => {
                self.os(os, "");
                self.runtime("nodejs", without_v(value));
            }
            Some(Role::Os(os)) => self.os(os, value),
            Some(_) => {}
            // A Ruby SDK names the service's library.
            None if self.agent.sdk.is_some() && name.starts_with("aws-sdk-") => {
                self.agent.api = Some(name.replacen("aws-sdk-", "", 1) + "#" + value);
            }
            None => self.unknown(name, some(value).as_deref()),
        }
    }

    /// Metadata, `key/name#value` or with slashes only.
    fn meta(&mut self, key: &str, value: &str) -> bool {
        let (name, detail) = value.split_once(['#', '/']).unwrap_or((value, ""));
        match key {
            "ua" => self.agent.ua_spec = some(value),
            "exec-env" => self.agent.exec_env = some(value),
            "command" => self.agent.command = some(value),
            "sid" => self.agent.cli_session = some(value),
            "app" => self.agent.app_id = some(value),
            "exe" | "source" => self.agent.executable = some(value),
            "api" => self.agent.api = some(&value.replacen('/', "#", 1)),
            "lang" if name != "js" => self.runtime(name, detail),
            "lang" => {}
            "os" | "OS" => self.system(value),
            "m" => self.letters(value),
            "cfg" if name == "auth-source" => self.auth_source = names::auth_source(detail),
            "md" => self.metadata(name, detail),
            _ => return false,
        }
        true
    }

    fn metadata(&mut self, name: &str, value: &str) {
        match name {
            "arch" | "GOARCH" => self.agent.arch = some(value),
            "command" => self.agent.command = some(value),
            "distrib" => self.agent.distrib = some(value),
            "nodejs" => self.runtime("nodejs", value),
            "internal" => self.internal = true,
            // `awslabs#mcp#aws-api-mcp-server#1.0.2`: a server by which an AI agent calls.
            "awslabs" => {
                if let Some(server) = value.strip_prefix("mcp#") {
                    let (name, version) = server.split_once('#').unwrap_or((server, ""));
                    self.program(name, some(version).as_deref(), Family::Tool);
                }
            }
            _ => {}
        }
    }

    fn letters(&mut self, letters: &str) {
        let sources = letters.split(',').filter_map(names::credential_letter);
        for source in sources.map(str::to_owned) {
            if !self.agent.credential_sources.contains(&source) {
                self.agent.credential_sources.push(source);
            }
        }
    }

    /// `Linux#5.10`, `linux`, `Linux_5.15.0_#83-Ubuntu…`, `Microsoft_Windows_10.0.19045`.
    fn system(&mut self, value: &str) {
        let value = value.strip_prefix("Microsoft_").unwrap_or(value);
        if let Some((name, version)) = value.split_once(['#', '/'])
            && let Some(Role::Os(os)) = names::role(name)
        {
            return self.os(os, version);
        }
        let (name, version) = match value.split_once('_') {
            Some((name, version)) if names::role(value).is_none() => (name, version),
            _ => (value, ""),
        };
        let version = version
            .split_once("_#")
            .map_or(version, |(version, _)| version);
        match names::role(name) {
            Some(Role::Os(os)) => self.os(os, version),
            _ => self.os(&name.to_lowercase(), version),
        }
    }

    fn os(&mut self, os: &str, version: &str) {
        if self.agent.os.is_none() {
            self.agent.os = some(os);
            self.agent.os_version = some(version);
        }
    }

    fn runtime(&mut self, name: &str, version: &str) {
        // PowerShell stands on .NET, which names itself first.
        if self.agent.runtime.is_none() || name == "powershell" {
            self.agent.runtime = some(name);
            self.agent.runtime_version = some(version);
        }
    }

    fn word(&mut self, word: &str) {
        match names::role(word) {
            Some(Role::Arch) if self.agent.arch.is_none() => self.agent.arch = some(word),
            Some(Role::Tool(known, family)) => self.program(known, None, family),
            Some(_) => {}
            None if names::is_version(word) => {}
            None => self.unknown(word, None),
        }
    }

    /// `(go1.18.3; linux; amd64)`, `(Mac OS X/10.14.6)`, `(x86_64)`.
    fn comment(&mut self, text: &str) {
        for part in text.split("; ") {
            let go = part.strip_prefix("go");
            if let Some(version) =
                go.filter(|version| version.starts_with(|c: char| c.is_ascii_digit()))
            {
                self.runtime("go", version);
                continue;
            }
            let (name, version) = part.split_once('/').unwrap_or((part, ""));
            match names::role(name) {
                Some(Role::Os(os)) => self.os(os, version),
                Some(Role::Arch) if self.agent.arch.is_none() => self.agent.arch = some(part),
                _ => {}
            }
        }
    }

    /// A program that is known. The first of those that tell most counts.
    fn program(&mut self, name: &str, version: Option<&str>, family: Family) {
        let version = version.map(|version| without_v(version).to_owned());
        let better = |(_, _, held): &(String, Option<String>, Family)| rank(family) > rank(*held);
        if self.tool.as_ref().is_none_or(better)
            && !(self.announced && family == Family::AwsInternal)
        {
            self.tool = Some((name.to_owned(), version, family));
        }
    }

    fn unknown(&mut self, name: &str, version: Option<&str>) {
        let (name, found) = names::unversioned(name);
        let name = names::lasting(name);
        if self.tool.is_none() && name.contains(char::is_alphanumeric) {
            let version = version.or(found).map(str::to_owned);
            self.tool = Some((short(&name), version, Family::Tool));
        }
    }

    fn finish(self) -> UserAgent {
        let mut agent = self.agent;
        if let (None, Some((label, version))) = (&agent.sdk, self.base) {
            agent.sdk = Some(label.to_owned());
            agent.sdk_version = Some(version);
        }
        if agent.credential_sources.is_empty() {
            agent
                .credential_sources
                .extend(self.auth_source.map(str::to_owned));
        }
        let sdk = agent.sdk.as_deref();
        let held = self.tool.as_ref().map(|(_, _, family)| *family);
        agent.family = match (held, sdk) {
            _ if self.announced && self.internal => Family::Console,
            (Some(Family::Console), _) => Family::Console,
            _ if self.internal => Family::AwsInternal,
            (Some(family @ (Family::AttackTool | Family::Iac | Family::S3Tool)), _) => family,
            (_, Some("aws-cli")) => Family::Cli,
            (Some(_), Some(_)) => Family::SdkWithTool,
            (None, Some(_)) => Family::Sdk,
            (Some(family), None) => family,
            (None, None) => Family::Unknown,
        };
        if agent.family == Family::S3Tool
            && self
                .tool
                .as_ref()
                .is_some_and(|(name, _, _)| name == "S3 Browser")
            && agent.os.is_none()
        {
            // There is no other edition.
            agent.os = some("windows");
        }
        if let Some((name, version, _)) = self.tool {
            agent.tool = some(&name);
            agent.tool_version = version;
        }
        agent
    }
}

/// How much a program tells about who calls.
fn rank(family: Family) -> u8 {
    match family {
        Family::AttackTool => 5,
        Family::Iac => 4,
        Family::S3Tool => 3,
        Family::Console => 2,
        Family::Tool => 1,
        _ => 0,
    }
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn without_v(version: &str) -> &str {
    match version.strip_prefix('v') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => rest,
        _ => version,
    }
}

fn short(name: &str) -> String {
    name.chars().take(LONGEST_NAME).collect()
}
