//! Whose is what a call is done to?
//!
//! In: a call and its parameters. Out: an account. Promise: a parameter counts only if `data/iam_accounts.tsv` lists it and it begins
//! with the twelve digits of an account; otherwise the account is the caller's.

use std::sync::LazyLock;

use super::call::Call;
use super::data::rows;
use super::parameters::Parameters;

/// Service and parameter.
static ACCOUNTS: LazyLock<Vec<[&'static str; 2]>> =
    LazyLock::new(|| rows(include_str!("../data/iam_accounts.tsv")).collect());

/// The account of what the call is done to.
pub(super) fn owner<'a>(call: &Call<'a>, prefix: &str, parameters: &'a Parameters) -> &'a str {
    let listed = ACCOUNTS.iter().filter(|[service, _]| *service == prefix);
    let mut given = listed.filter_map(|[_, name]| account(parameters.text(name)?));
    let given = given.next().or_else(|| match prefix {
        // `444455556666:function:resize`
        "lambda" => parameters
            .text("functionName")
            .filter(|name| name.contains(":function:"))
            .and_then(account),
        _ => None,
    });
    given.unwrap_or(call.account)
}

/// What comes after the account in `444455556666:catalog/child`; nothing for the account alone.
/// <https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html>
pub(super) fn below(value: &str) -> Option<&str> {
    let account = account(value)?;
    Some(value[account.len()..].trim_start_matches([':', '/']))
}

/// The account with which a text begins.
fn account(text: &str) -> Option<&str> {
    let (account, rest) = text.split_at_checked(12)?;
    let digits = account.bytes().all(|byte| byte.is_ascii_digit());
    (digits && (rest.is_empty() || rest.starts_with([':', '/']))).then_some(account)
}
