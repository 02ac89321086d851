//! Offer and answer against descriptions that other implementations wrote.

#![allow(clippy::unwrap_used)]

mod answering;
mod captured;
mod errors;
mod fixtures;
mod offering;
mod parsing;
mod properties;
