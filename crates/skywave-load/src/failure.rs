//! Why a listener does not listen.

/// Why one listener has not begun to listen, or has ceased to.
///
/// Listeners are counted by the text of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The server answered the offer with this HTTP status.
    #[error("HTTP {0}")]
    Status(u16),
    /// The server did not answer the offer in a way that HTTP knows.
    #[error("HTTP: {0}")]
    Http(String),
    /// There was no answer to the offer in time.
    #[error("no answer to the offer in time")]
    NoAnswer,
    /// The answer cannot be used.
    #[error("answer: {0}")]
    Answer(String),
    /// The answer has no candidate to send to.
    #[error("answer: no candidate to send to")]
    NoCandidate,
    /// No connectivity check was answered with success in time; the code of the last error
    /// response, if there was one.
    #[error("no check was answered in time{}", code(*.0))]
    Unreachable(Option<u16>),
    /// The handshake failed.
    #[error("DTLS: {0}")]
    Dtls(String),
    /// The handshake was not done in time.
    #[error("DTLS: not done in time")]
    Unsecured,
    /// No genuine packet came in time.
    #[error("no genuine packet came in time")]
    Silent,
    /// The server hung up.
    #[error("the server hung up")]
    HungUp,
    /// The server has answered no check for 30 s (RFC 7675).
    #[error("consent was lost")]
    ConsentLost,
    /// The system gave no socket.
    #[error("socket: {0}")]
    Socket(String),
}

fn code(code: Option<u16>) -> String {
    code.map_or_else(String::new, |code| format!(" (error {code})"))
}
