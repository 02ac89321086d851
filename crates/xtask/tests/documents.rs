//! The tests that documents name are there.

#![allow(clippy::unwrap_used)]

use std::collections::HashSet;
use std::fs;
use std::path::Path;

#[test]
fn every_row_of_the_standards_names_tests_that_exist() {
    let functions = functions();
    let rows = rows_with_tests("docs/standards.md");
    assert!(rows.len() > 100, "{} rows", rows.len());
    for row in rows {
        assert!(!row.is_empty(), "a row names no test");
        assert_all_exist(&row, &functions);
    }
}

#[test]
fn tests_that_stand_against_threats_exist() {
    let functions = functions();
    let rows = rows_with_tests("docs/security.md");
    assert!(rows.iter().flatten().count() > 30);
    for row in rows {
        assert_all_exist(&row, &functions);
    }
}

fn assert_all_exist(names: &[String], functions: &HashSet<String>) {
    for name in names {
        assert!(functions.contains(name), "there is no test {name}");
    }
}

/// The names in the last cell of each row of the tables whose last column is "test".
fn rows_with_tests(document: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(root().join(document)).unwrap();
    let mut rows = Vec::new();
    let mut is_of_tests = false;
    for line in text.lines() {
        let last_cell = line.trim_end_matches([' ', '|']).rsplit_once('|');
        match last_cell {
            None => is_of_tests = false,
            Some((_, " test")) => is_of_tests = true,
            Some((_, cell)) if is_of_tests && !cell.starts_with('-') => rows.push(names(cell)),
            Some(_) => {}
        }
    }
    rows
}

/// What stands in backticks and reads as the name of a test, not of a file, an option or a type.
fn names(cell: &str) -> Vec<String> {
    let quoted = cell.split('`').skip(1).step_by(2);
    let is_name = |word: &&str| {
        word.len() > 10 && !word.contains(|c: char| !matches!(c, 'a'..='z' | '0'..='9' | '_'))
    };
    quoted
        .filter(is_name)
        .filter(|word| word.contains('_') && !TARGETS.contains(word))
        .map(str::to_owned)
        .collect()
}

/// Fuzz targets, which stand beside tests.
const TARGETS: [&str; 3] = ["dtls_record", "peer_datagram", "srtp_unprotect"];

/// The names of all functions of the workspace.
fn functions() -> HashSet<String> {
    let mut functions = HashSet::new();
    let mut folders: Vec<_> = ["crates", "tests", "fuzz", "benches"]
        .map(|folder| root().join(folder))
        .into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                functions.extend(text.lines().filter_map(function));
            }
        }
    }
    functions
}

/// The name of the function that a line begins.
fn function(line: &str) -> Option<String> {
    let line = line.trim_start();
    let line = line.strip_prefix("async ").unwrap_or(line);
    let (name, _) = line.strip_prefix("fn ")?.split_once('(')?;
    Some(name.to_owned())
}

fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap()
}
