//! Offer and answer against descriptions that other implementations wrote.

#![allow(clippy::unwrap_used)]

mod answering;
mod beside;
mod captured;
mod errors;
mod extensions;
mod feedback;
mod fixtures;
mod offering;
mod parsing;
mod properties;
