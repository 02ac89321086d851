//! What happens to pushed speech.

/// Something that happened to the speech of a [`SpeechQueue`](crate::SpeechQueue).
///
/// Samples are those of 48 kHz, and sent when they were handed over for the packet now due: a
/// listener's jitter buffer plays them some 50 to 200 ms later. An utterance is what is pushed up
/// to a [`finish`](crate::SpeechQueue::finish) or [`clear`](crate::SpeechQueue::clear).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum SpeechEvent {
    /// The first samples of an utterance were sent.
    Started,
    /// The last sample of an utterance was sent.
    Finished {
        /// Its samples.
        sent: u64,
    },
    /// A clear has taken effect.
    Interrupted {
        /// Samples of the utterance under way that were sent, those it faded out in included.
        sent: u64,
        /// Samples that were not, of it and of all utterances behind it.
        discarded: u64,
    },
    /// The utterance goes on, but nothing of it is there: silence is sent.
    UnderrunStarted,
    /// It goes on, or was cleared.
    UnderrunEnded {
        /// The silence that was sent, in samples.
        samples: u64,
    },
    /// All samples pushed before a mark were sent.
    Mark {
        /// Of the mark.
        id: u64,
    },
    /// A mark was cleared before it was reached.
    MarkDiscarded {
        /// Of the mark.
        id: u64,
    },
}
