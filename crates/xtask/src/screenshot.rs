//! The picture of the page in the documentation, taken by the browser test.

use std::fs;

use crate::failure::Failure;
use crate::runner::{Runner, root};

/// Takes it anew.
pub(crate) fn run(runner: &Runner) -> Result<(), Failure> {
    // Builds the program, which the browser test starts.
    runner.cargo(&["test", "--workspace", "--test", "serve", "--no-run"])?;
    let features = ["test", "--workspace", "--features", "skywave-tests/interop"];
    let test = ["--test", "interop_browser", "chromium_plays_the_page"];
    runner.cargo(&[&features[..], &test].concat())?;
    fs::copy(root().join(TAKEN), root().join(PUBLISHED))
        .map_err(|error| Failure::new(format!("{TAKEN} to {PUBLISHED}: {error}")))?;
    runner.say(&format!("wrote {PUBLISHED}"));
    Ok(())
}

const TAKEN: &str = "target/screenshots/page-chromium.png";
const PUBLISHED: &str = "docs/screenshot.png";
