//! Over which paths a handshake went.

use skywave_ice::Path;

/// Where the flights of a handshake were sent.
///
/// Whoever ends a handshake has received them: if all went to one address, that is the peer's. A
/// source address alone tells nothing, as a peer may forge that of its last flight.
#[derive(Clone, Copy, Default)]
pub(super) enum HandshakePath {
    #[default]
    None,
    Only(Path),
    /// The last of them.
    Several(Path),
}

impl HandshakePath {
    pub(super) fn record(&mut self, path: Path) {
        *self = match *self {
            Self::None => Self::Only(path),
            Self::Only(only) if only == path => Self::Only(path),
            _ => Self::Several(path),
        };
    }

    /// Where the last flight went.
    pub(super) fn last(self) -> Option<Path> {
        match self {
            Self::Only(path) | Self::Several(path) => Some(path),
            Self::None => None,
        }
    }

    /// The address that a finished handshake proves to be the peer's, if any.
    pub(super) fn proven(self) -> Option<Path> {
        match self {
            Self::Only(path) => Some(path),
            Self::None | Self::Several(_) => None,
        }
    }
}
