//! What is known of attacks: the table that came with the program, and how it is shown.

use std::fs;

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
fn the_table_has_every_row_of_its_source() {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/attack_events.csv");
    let Ok(text) = fs::read_to_string(source) else {
        println!("skipped: there is no {source}");
        return;
    };
    let own = rows(ATTACK_EVENTS);
    let missing: Vec<_> = rows(&text)
        .into_iter()
        .filter(|row| !own.contains(row))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
