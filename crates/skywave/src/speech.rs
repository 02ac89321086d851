//! Speech that a program pushes faster than it is spoken, and takes back when it is interrupted.
//!
//! The handle ([`SpeechQueue`]) writes samples into blocks and hands each block to the source
//! ([`SpeechSource`]) once; the source reads as far as a block is written. What both must agree on
//! is one word, [`Intake`](intake::Intake): how much was accepted, and how often the queue was
//! cleared. A push adds to it and a clear changes it, each in one step, so that no sample is
//! accepted unseen by a clear. Neither side ever waits for the other.

mod block;
mod config;
mod control;
mod event;
mod fade;
mod intake;
mod line;
mod position;
mod queue;
mod shared;
mod source;
#[cfg(test)]
mod tests;
mod writer;

pub use config::SpeechQueueConfig;
pub use event::SpeechEvent;
pub use position::SpeechPosition;
pub use queue::SpeechQueue;
pub use source::SpeechSource;
