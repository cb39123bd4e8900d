//! Attack rules: the table that came with the program, and how it is shown.

use std::fs;

use crate::needs;
use keytrail::knowledge::attack::ATTACK_EVENTS;

/// Service, call, technique and severity of every row.
fn rows(text: &str) -> Vec<[String; 4]> {
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .from_reader(text.as_bytes());
    let mut rows = Vec::new();
    for row in reader.records() {
        let row = row.unwrap();
        for name in row[1].split_whitespace() {
            rows.push([&row[0], name, &row[3], &row[5]].map(str::to_owned));
        }
    }
    rows.sort();
    rows
}

#[test]
#[ignore = "needs KEYTRAIL_TABLES"]
fn the_table_has_every_row_of_its_source() {
    let text = fs::read_to_string(needs::tables().join("attack_events.csv")).unwrap();
    let own = rows(ATTACK_EVENTS);
    let missing: Vec<_> = rows(&text)
        .into_iter()
        .filter(|row| !own.contains(row))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
