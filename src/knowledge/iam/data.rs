//! Tables of the program: tab-separated text.
//!
//! In: the text of a table. Out: its rows. Promise: lines that begin with `#` are comments; a line with another number of columns
//! is no row, and a test of each table counts them.

/// The rows of a table of this many columns.
pub(super) fn rows<const N: usize>(text: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split('\t').collect::<Vec<_>>().try_into().ok())
}

/// Whether a name fits a pattern: the name itself, or its beginning before a `*`.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::super::actions;
    use super::*;

    /// The rows of a table; each line that is no comment must be one.
    fn whole<const N: usize>(text: &'static str) -> Vec<[&'static str; N]> {
        let rows: Vec<_> = rows(text).collect();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        assert_eq!(rows.len(), lines.count(), "{}", &text[..80]);
        rows
    }

    #[test]
    fn every_line_of_a_table_is_a_row_about_a_service_and_a_call_of_it() {
        let known = |service: &str, call: &str| {
            let service = actions::service(service).unwrap_or_else(|| panic!("{service}"));
            let mut calls = service.actions();
            assert!(calls.any(|action| fits(call, action.name)), "{call}");
        };
        for [service, call, kinds] in whole(include_str!("../data/tag_kinds.tsv")) {
            known(service, call);
            let types = &actions::service(service).unwrap().types;
            for name in kinds.split(',') {
                assert!(types.iter().any(|kind| kind.name == name), "{name}");
            }
        }
        for [service, call, _] in whole(include_str!("../data/roles_by_name.tsv")) {
            known(service, call);
        }
        for [service, call, _] in whole(include_str!("../data/roles_by_arn.tsv")) {
            // Calls of API Gateway have actions of other names.
            match service {
                "apigateway" => assert!(!call.is_empty()),
                _ => known(service, call),
            }
        }
        for [service, call, _] in whole(include_str!("../data/passed_to.tsv")) {
            known(service, call);
        }
        for [service, call, action, ..] in whole::<6>(include_str!("../data/iam_reads.tsv")) {
            known(service, call);
            assert!(actions::action(action).is_some(), "{action}");
        }
        for [service, _] in whole(include_str!("../data/iam_accounts.tsv")) {
            assert!(actions::service(service).is_some(), "{service}");
        }
        for [service, placeholder, _] in whole(include_str!("../data/iam_parameters.tsv")) {
            let service = actions::service(service).unwrap();
            let mut names = service.types.iter().flat_map(|kind| kind.arn.names());
            assert!(names.any(|name| name == placeholder), "{placeholder}");
        }
    }
}
