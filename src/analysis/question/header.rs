//! The header of a `.sql` file: what it answers, and what it needs to know.
//!
//! In: the text of a file. Out: a [`Header`]. Promise: an error names the line and says what was expected there; a misspelt
//! entry is an error, not a comment.
//!
//! ```text
//! -- Everything a key did, in order
//! -- when: A key is in the wrong hands and you need the whole story.
//! -- group: incident
//! -- grain: one row per event
//! -- parameter: access_key_id text: the key
//! -- parameter: days integer = 90: how far back
//! -- details: user_agent, event_id
//! ```
//!
//! The first line is the title. Title and grain are required. A line that begins with more than one space goes on with
//! the entry before it. `details` are columns that a narrow table may leave out. Other comments may stand between.

use super::group::Group;
use super::parameter::Parameter;

/// What stands at the top of a `.sql` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// One line for people.
    pub title: String,
    /// In which situation one asks this.
    pub when: Option<String>,
    /// What one row of the answer is.
    pub grain: String,
    /// Which aim it serves.
    pub group: Option<Group>,
    /// What has to be given, or can be, in the file's order.
    pub parameters: Vec<Parameter>,
    /// Columns that a narrow table may leave out, the last first.
    pub details: Vec<String>,
}

/// A header that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct HeaderError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

impl HeaderError {
    fn at(line: usize, problem: impl Into<String>) -> Self {
        Self {
            line,
            problem: problem.into(),
        }
    }
}

/// The entries a header may have.
const ENTRIES: &str = "when, grain, group, parameter, details";

/// One entry: its line, its name and its text.
struct Entry<'a> {
    line: usize,
    name: &'a str,
    text: String,
}

impl Header {
    /// Reads the header of a file.
    ///
    /// # Errors
    ///
    /// The first line that is not as it should be.
    pub fn parse(text: &str) -> Result<Self, HeaderError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let title = text
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("--"))
            .map(str::trim)
            .filter(|title| !title.is_empty())
            .ok_or_else(|| {
                HeaderError::at(1, "the file does not begin with its title: `-- TITLE`")
            })?;
        let (mut when, mut grain, mut group) = (None, None, None);
        let (mut parameters, mut details) = (Vec::<Parameter>::new(), Vec::new());
        for Entry { line, name, text } in entries(text)? {
            if text.is_empty() {
                return Err(HeaderError::at(line, format!("`{name}` is empty")));
            }
            let once = |taken: bool| match taken {
                true => Err(HeaderError::at(line, format!("`{name}` appears twice"))),
                false => Ok(()),
            };
            match name {
                "when" => {
                    once(when.is_some())?;
                    when = Some(text);
                }
                "grain" => {
                    once(grain.is_some())?;
                    grain = Some(text);
                }
                "group" => {
                    once(group.is_some())?;
                    group = Some(
                        text.parse::<Group>()
                            .map_err(|problem| HeaderError::at(line, problem.to_string()))?,
                    );
                }
                "parameter" => {
                    let parameter = Parameter::parse(&text)
                        .map_err(|problem| HeaderError::at(line, problem))?;
                    if parameters.iter().any(|known| known.name == parameter.name) {
                        let problem = format!("parameter `{}` appears twice", parameter.name);
                        return Err(HeaderError::at(line, problem));
                    }
                    parameters.push(parameter);
                }
                "details" => {
                    once(!details.is_empty())?;
                    details = text.split(',').map(|name| name.trim().to_owned()).collect();
                }
                _ => {
                    let problem = format!("unknown entry `{name}`; entries are {ENTRIES}");
                    return Err(HeaderError::at(line, problem));
                }
            }
        }
        let grain = grain.ok_or_else(|| {
            HeaderError::at(
                1,
                "`-- grain: …` is missing: it says what one row of the answer is",
            )
        })?;
        Ok(Self {
            title: title.to_owned(),
            when,
            grain,
            group,
            parameters,
            details,
        })
    }
}

/// The entries after the title: comment lines of the form `-- name: text`, with the lines that go on with them.
fn entries(text: &str) -> Result<Vec<Entry<'_>>, HeaderError> {
    let mut entries = Vec::<Entry<'_>>::new();
    // Whether the line before was an entry or went on with one.
    let mut open = false;
    for (index, line) in text.lines().enumerate().skip(1) {
        let Some(comment) = line.strip_prefix("--") else {
            break;
        };
        if comment.starts_with("  ") {
            match entries.last_mut() {
                Some(entry) if open => {
                    entry.text.push(' ');
                    entry.text.push_str(comment.trim());
                }
                _ => {
                    let problem = "continues an entry, but no entry comes before it";
                    return Err(HeaderError::at(index + 1, problem));
                }
            }
            continue;
        }
        let entry = comment
            .split_once(':')
            .map(|(name, text)| (name.trim(), text));
        // `word:` is an entry, known or misspelt; more words before the colon, or no colon, make a comment.
        open = entry.is_some_and(|(name, _)| name.bytes().all(|b| b.is_ascii_lowercase()));
        if let Some((name, text)) = entry.filter(|_| open) {
            entries.push(Entry {
                line: index + 1,
                name,
                text: text.trim().to_owned(),
            });
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::super::parameter::{Default, ParameterKind};
    use super::*;

    fn problem(text: &str) -> String {
        Header::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_whole_header() {
        let header = Header::parse(
            "-- Use: after: deactivation\n\
             -- when: A key was deactivated,\n\
             --   and you wonder.\n\
             -- Distinct texts are counted by number: that is faster.\n\
             -- group: keys\n\
             -- grain: one row per key\n\
             -- parameter: access_key_id text: the key\n\
             -- parameter: since time = 2025-03-01T12:00:00Z: from when: on\n\
             -- parameter: user text = null: only this user\n\
             -- details: user_agent, event_id\n\
             SELECT 1 -- grain: none\n",
        )
        .unwrap();
        assert_eq!(header.title, "Use: after: deactivation");
        assert_eq!(
            header.when.unwrap(),
            "A key was deactivated, and you wonder."
        );
        assert_eq!(header.group, Some(Group::Keys));
        assert_eq!(header.grain, "one row per key");
        assert_eq!(header.details, ["user_agent", "event_id"]);
        let [key, since, user] = header.parameters.as_slice() else {
            panic!("three parameters");
        };
        assert_eq!(
            (key.name.as_str(), key.kind),
            ("access_key_id", ParameterKind::Text)
        );
        assert_eq!(key.default, Default::Required);
        assert_eq!(since.meaning, "from when: on");
        assert_eq!(
            since.default,
            Default::Value("2025-03-01T12:00:00Z".to_owned())
        );
        assert_eq!(user.default, Default::Null);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        assert!(problem("SELECT 1").starts_with("line 1: the file does not begin with its title"));
        assert!(problem("-- T\nSELECT 1").starts_with("line 1: `-- grain: …` is missing"));
        assert_eq!(
            problem("-- T\n-- grian: one row\nSELECT 1"),
            "line 2: unknown entry `grian`; entries are when, grain, group, parameter, details"
        );
        assert_eq!(
            problem("-- T\n-- grain: a\n-- grain: b"),
            "line 3: `grain` appears twice"
        );
        assert_eq!(problem("-- T\n-- grain:"), "line 2: `grain` is empty");
        assert!(problem("-- T\n-- grain: a\n-- group: pets").starts_with("line 3: "));
        assert_eq!(
            problem("-- T\n-- comment, no entry\n--   more"),
            "line 3: continues an entry, but no entry comes before it"
        );
        assert_eq!(
            problem("-- T\n-- parameter: a text: one\n-- parameter: a text: two"),
            "line 3: parameter `a` appears twice"
        );
    }
}
