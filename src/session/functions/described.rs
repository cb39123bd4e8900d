//! What each function is for.
//!
//! In: a function's name. Out: what it does, in a sentence. Promise: every function has one; `docs/sql-dialects.md` has the same functions (a test compares).

/// Functions by family; each with its sentence.
pub(crate) const FUNCTIONS: &[(&str, &str)] = &[
    (
        "key_type",
        "The kind of credential that an access key's id begins with.",
    ),
    (
        "decoded_account_id",
        "The account that an access key's id carries.",
    ),
    (
        "user_agent_family",
        "The kind of program that a user agent names: `cli`, `sdk`, `iac`, `browser`, ….",
    ),
    (
        "user_agent_canonical",
        "A user agent without what changes from call to call.",
    ),
    ("user_agent_sdk", "The SDK of a user agent."),
    ("user_agent_tool", "The program that a user agent names."),
    ("user_agent_os", "The operating system of a user agent."),
    (
        "user_agent_exec_env",
        "Where a user agent says it runs, e.g. `AWS_Lambda_python3.12`.",
    ),
    (
        "user_agent_command",
        "The command of the AWS command line, e.g. `s3.sync`.",
    ),
    (
        "user_agent_credential_source",
        "Where the SDK found its credentials: `env-vars`, `profile`, `code`, ….",
    ),
    (
        "session_name",
        "The session that a call of STS asks for, without counters.",
    ),
    (
        "ip_in_cidr",
        "Whether an address is in a network like `10.0.0.0/8`; null for names of services.",
    ),
    (
        "ip_address",
        "An address, to be compared as an address, not as text; null if the text is not one.",
    ),
    (
        "json_extract",
        "The value at a path like `$.a.b[0]['c-d']`, as JSON.",
    ),
    (
        "json_extract_scalar",
        "The string, number or boolean at a path, as text.",
    ),
    (
        "json_value",
        "The string, number or boolean at a path of SQL/JSON (`lax $.a.b`), as text.",
    ),
    (
        "json_query",
        "The value at a path of SQL/JSON (`lax $.a.b`), as JSON.",
    ),
    (
        "json_exists",
        "Whether there is a value at a path of SQL/JSON (`lax $.a.b`).",
    ),
    (
        "json_size",
        "How many members or elements the value at a path has.",
    ),
    ("json_array_length", "How many elements an array has."),
    (
        "json_array_get",
        "An element of an array, counted from 0, or from the end when negative.",
    ),
    (
        "json_array_contains",
        "Whether an array has a string, number or boolean.",
    ),
    ("json_parse", "The text itself if it is JSON, else null."),
    ("json_format", "The text itself if it is JSON, else null."),
    (
        "json_elements",
        "The elements of an array as a list of texts.",
    ),
    (
        "json_member",
        "The member of an object whose name is the same but for case, as text.",
    ),
    (
        "element_at",
        "An element of a list, counted from 1, or the value of a key in a map or JSON object; null if there is none.",
    ),
    (
        "contains",
        "Whether a list has a value, a network an address, or a text another text.",
    ),
    (
        "cardinality",
        "How many elements or members a list, a map or JSON text has.",
    ),
    ("map_keys", "The keys of a map or of a JSON object."),
    ("map_values", "The values of a map or of a JSON object."),
    (
        "resource_list",
        "The resources of an event as structs of arn, accountid and type.",
    ),
    (
        "is_update",
        "Whether a record repeats an earlier record of the same call, by its `addendum`.",
    ),
    (
        "failed",
        "Whether a call failed, by its error code; a dry run that would have succeeded did not.",
    ),
    (
        "event_json",
        "A record put together again of a struct whose fields are named by their paths.",
    ),
    (
        "regexp_extract",
        "The first match of a pattern, or a group of it.",
    ),
    (
        "regexp_extract_all",
        "All matches of a pattern, or a group of each, as a list.",
    ),
    (
        "substr",
        "The characters of a text from one on, counted from 1, or from the end when negative.",
    ),
    (
        "from_base64",
        "The bytes of a base64 text; null if it is not base64.",
    ),
    ("to_base64", "Bytes or text, as base64."),
    ("from_utf8", "Bytes as text."),
    ("to_utf8", "A text as bytes."),
    (
        "from_iso8601_timestamp",
        "The time in an ISO 8601 text; null if it is not one.",
    ),
    (
        "from_iso8601_date",
        "The day in a text like `2025-03-05`; null if it is not one.",
    ),
    ("to_iso8601", "A time as text, as CloudTrail writes times."),
    (
        "to_unixtime",
        "A time in seconds since 1970, with their fraction.",
    ),
    (
        "from_unixtime",
        "The time so many seconds after 1970; with a time zone, the time there.",
    ),
    ("date", "The day of a time."),
    (
        "date_parse",
        "The time in a text of a MySQL format (`%Y-%m-%d %H:%i:%s`).",
    ),
    (
        "try_date_parse",
        "As `date_parse`, but null for a text that is not such a time.",
    ),
    (
        "try_parse_datetime",
        "As `parse_datetime`, but null for a text that is not such a time.",
    ),
    (
        "date_format",
        "A time as text in a MySQL format (`%Y-%m-%d %H:%i:%s`).",
    ),
    (
        "date_add",
        "A time plus a number of units: millisecond, second, minute, hour, day, week, month, quarter, year.",
    ),
    (
        "parse_datetime",
        "The time in a text of a Joda format (`yyyy-MM-dd HH:mm:ss`).",
    ),
    (
        "format_datetime",
        "A time as text in a Joda format (`yyyy-MM-dd HH:mm:ss`).",
    ),
    (
        "strftime",
        "A time as text in a DuckDB format (`%Y-%m-%d %H:%M:%S`).",
    ),
    (
        "at_timezone",
        "A time in a time zone, as `time AT TIME ZONE 'Asia/Tokyo'`: functions of it count there.",
    ),
    ("date_diff", "The number of whole units between two times."),
    (
        "utc_text",
        "A time or day as text in a strftime format; comparisons with it compare the time.",
    ),
    ("year", "The year of a time."),
    ("quarter", "The quarter of a time, 1 to 4."),
    ("month", "The month of a time."),
    ("week", "The week of a time by ISO 8601."),
    ("week_of_year", "The week of a time by ISO 8601."),
    ("day", "The day of the month."),
    ("day_of_month", "The day of the month."),
    ("day_of_week", "The day of the week; Monday is 1."),
    ("dow", "The day of the week; Monday is 1."),
    ("day_of_year", "The day of the year."),
    ("doy", "The day of the year."),
    ("hour", "The hour of a time."),
    ("minute", "The minute of a time."),
    ("second", "The second of a time."),
    ("millisecond", "The millisecond of a time."),
    (
        "year_of_week",
        "The year that the week belongs to by ISO 8601.",
    ),
    ("yow", "The year that the week belongs to by ISO 8601."),
    ("url_extract_host", "The host of a URL."),
    ("url_extract_path", "The path of a URL."),
    ("url_extract_protocol", "The protocol of a URL."),
    ("url_extract_query", "The query of a URL."),
    ("url_extract_fragment", "The fragment of a URL."),
    ("url_extract_port", "The port of a URL, if it names one."),
    (
        "url_extract_parameter",
        "The value of a parameter in a URL's query.",
    ),
    (
        "url_decode",
        "Percent-encoded text, decoded, e.g. a policy in an IAM response.",
    ),
    ("url_encode", "Text, percent-encoded."),
];

/// What a function does.
pub(super) fn sentence(name: &str) -> &'static str {
    FUNCTIONS
        .iter()
        .find(|(known, _)| *known == name)
        .map_or("", |(_, sentence)| sentence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_function_is_described_here_and_in_the_documents() {
        let mut functions = crate::session::functions::all();
        functions.retain(|function| function.documentation().is_some());
        let text = include_str!("../../../docs/sql-dialects.md");
        for function in &functions {
            let documentation = function.documentation().expect("documented");
            let (name, sentence) = (function.name(), &documentation.description);
            assert!(sentence.ends_with('.'), "{name}: {sentence}");
            assert!(text.contains(name), "{name} is not in the documents");
        }
        let known: HashSet<_> = FUNCTIONS.iter().map(|(name, _)| *name).collect();
        assert_eq!(known.len(), FUNCTIONS.len());
        assert_eq!(known.len(), functions.len());
    }

    #[test]
    fn syntax_shows_what_may_be_left_out() {
        let functions = crate::session::functions::all();
        let extract = functions
            .iter()
            .find(|function| function.name() == "regexp_extract");
        let documentation = extract.and_then(|function| function.documentation().cloned());
        assert_eq!(
            documentation.map(|found| found.syntax_example).as_deref(),
            Some("regexp_extract(text, pattern[, group])")
        );
    }
}
