//! Words of commands that come out of logs.
//!
//! In: names as they were logged. Out: names as IAM gives them, or a word in capitals for a person to fill in. Promise: a word that
//! AWS's own command line would read as an option or as a file (`--help`, `file://…`) is never put into a command.

use std::net::IpAddr;

/// What stands for a name that IAM does not give.
const USER_NAME: &str = "USER_NAME";

/// A user's name by IAM's grammar, or `USER_NAME`.
pub(super) fn user_name(name: Option<&str>) -> String {
    let of_iam = |name: &&str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        (1..=64).contains(&name.len()) && name.chars().all(plain) && !name.starts_with('-')
    };
    name.filter(of_iam).unwrap_or(USER_NAME).to_owned()
}

/// Whether a user's name is one that IAM gives.
pub(super) fn is_user_name(name: &str) -> bool {
    user_name(Some(name)) == name
}

/// An id by what ids are made of, or a word for it.
pub(super) fn id(text: Option<&str>, otherwise: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let id =
        text.filter(|text| !text.is_empty() && !text.starts_with('-') && text.chars().all(plain));
    id.unwrap_or(otherwise).to_owned()
}

/// The only region, or `REGION`.
pub(super) fn region(regions: &[String]) -> String {
    match regions {
        [only] => id(Some(only), "REGION"),
        _ => "REGION".to_owned(),
    }
}

/// The first of these that is an address, and whether it is a private one.
pub(super) fn address<'a>(mut texts: impl Iterator<Item = &'a str>) -> Option<(IpAddr, bool)> {
    let address: IpAddr = texts.find_map(|text| text.parse().ok())?;
    let private = match address {
        IpAddr::V4(address) => address.is_private(),
        IpAddr::V6(address) => address.is_unique_local(),
    };
    Some((address, private))
}

/// The longest name that a role may have.
const ROLE_NAME: usize = 64;

/// A name for the role of a user's program.
pub(super) fn role_name(user: &str, suffix: &str) -> String {
    let user = if is_user_name(user) { user } else { "ROLE" };
    // Characters of the grammar are ASCII.
    let room = ROLE_NAME - suffix.len() - 1;
    format!("{}-{suffix}", &user[..user.len().min(room)])
}

/// The longest name that a permission set may have.
const SET_NAME: usize = 32;

/// A name for the permission set of a person.
pub(super) fn set_name(user: &str) -> String {
    let user = if user == USER_NAME { "SET" } else { user };
    format!(
        "{}-access",
        &user[..user.len().min(SET_NAME - "-access".len())]
    )
}

/// A span of time in words.
pub(super) fn span(seconds: i64) -> String {
    let (days, hours) = (seconds / 86_400, seconds / 3_600);
    match (days, hours) {
        (1.., _) => format!("{days} d"),
        (_, 1..) => format!("{hours} h"),
        _ => format!("{} min", seconds / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_iam_are_words_of_commands() {
        assert_eq!(user_name(Some("svc.a+b=c,d@e-f_g")), "svc.a+b=c,d@e-f_g");
        let long = "a".repeat(65);
        for name in [
            "",
            "--help",
            "-x",
            "file:///etc/passwd",
            "a b",
            "$(id)",
            "`id`",
            "a\nb",
            "é",
            &long,
        ] {
            assert_eq!(user_name(Some(name)), "USER_NAME", "{name:?}");
        }
        assert_eq!(user_name(None), "USER_NAME");
        assert_eq!(id(Some("eu-west-1"), "REGION"), "eu-west-1");
        assert_eq!(id(Some("$(id)"), "REGION"), "REGION");
        assert_eq!(id(Some("--x"), "REGION"), "REGION");
        assert_eq!(
            address(["x", "10.0.0.1"].into_iter()),
            Some(("10.0.0.1".parse().unwrap(), true))
        );
    }

    #[test]
    fn roles_are_called_after_the_user() {
        assert_eq!(role_name("svc-backup", "ec2"), "svc-backup-ec2");
        assert_eq!(role_name("$(id)", "ec2"), "ROLE-ec2");
        assert_eq!(role_name(&"a".repeat(64), "github").len(), ROLE_NAME);
    }
}
