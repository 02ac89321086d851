//! What lies between samples.

use super::intake::Generation;

/// A mark or an end, behind the sample before `at`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Control {
    pub(super) generation: Generation,
    pub(super) at: u64,
    pub(super) kind: ControlKind,
}

/// What it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ControlKind {
    Mark(u64),
    /// The utterance ends.
    End,
}
