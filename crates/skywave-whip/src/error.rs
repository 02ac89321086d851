//! What can be wrong with how the endpoint is set up.

/// What can be wrong with how the endpoint is set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A channel's name that does not go into an address.
    #[error("{0:?} cannot name a channel: 1 to 64 letters, digits, '-' and '_' can")]
    ChannelName(String),
    /// The name of a channel that is there already.
    #[error("there are two channels called {0}")]
    ChannelTwice(String),
    /// Text that is no STUN or TURN server.
    #[error(
        "{0:?} is no ICE server: stun:HOST[:PORT], or turn:HOST[:PORT][?transport=udp|tcp] with \
         a user and a password after it"
    )]
    IceServer(String),
    /// Text that is no origin of web pages.
    #[error("{0:?} is no origin: * or, say, https://radio.example with nothing behind it")]
    Origin(String),
}
