//! Mistakes of the caller and the end of a key's life.

use crate::Profile;

/// Why a key was not taken or a packet not protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The master key has not the length of the profile.
    #[error("master key of {actual} bytes, {} takes {}", profile.name(), profile.key_len())]
    KeyLength {
        /// The profile the key was meant for.
        profile: Profile,
        /// Bytes given.
        actual: usize,
    },
    /// The master salt has not the length of the profile.
    #[error("master salt of {actual} bytes, {} takes {}", profile.name(), profile.salt_len())]
    SaltLength {
        /// The profile the salt was meant for.
        profile: Profile,
        /// Bytes given.
        actual: usize,
    },
    /// The buffer cannot hold the protected packet.
    #[error("buffer of {available} bytes, the protected packet has {needed}")]
    BufferTooSmall {
        /// Bytes the protected packet would have.
        needed: usize,
        /// Bytes of the buffer.
        available: usize,
    },
    /// The packet ends within its header.
    #[error("packet of {len} bytes is shorter than its header of {header_len}")]
    PacketTooShort {
        /// Bytes of the packet.
        len: usize,
        /// Bytes of the header, as said by the caller.
        header_len: usize,
    },
    /// The protected packet would be longer than any UDP datagram.
    #[error("the protected packet would have {needed} bytes, more than a datagram")]
    PacketTooLong {
        /// Bytes the protected packet would have.
        needed: usize,
    },
    /// The header length is below the 12 bytes of the fixed RTP header or, where headers are
    /// encrypted, not that of the packet.
    #[error("header of {header_len} bytes, which the packet has not")]
    HeaderLength {
        /// Bytes of the header, as said by the caller.
        header_len: usize,
    },
    /// The header extension cannot be encrypted: it is not one of RFC 8285, which Cryptex wants,
    /// or one of its elements runs over its end.
    #[error("header extension {profile:#06x} that cannot be encrypted")]
    HeaderExtension {
        /// The number "defined by profile" of the extension.
        profile: u16,
    },
    /// No header extension element can have this identifier.
    #[error("header extension identifier {id}")]
    ExtensionId {
        /// The identifier.
        id: u8,
    },
    /// The packet is of another stream than those before it; a stream has one SSRC.
    #[error("packet of SSRC {actual:#010x} in the stream of {expected:#010x}")]
    Ssrc {
        /// The SSRC of the first packet.
        expected: u32,
        /// The SSRC of this packet.
        actual: u32,
    },
    /// The packet of a further stream has the SSRC of the sender's own.
    #[error("packet of SSRC {ssrc:#010x}, the sender's own, in a further stream")]
    SsrcInUse {
        /// The SSRC of both.
        ssrc: u32,
    },
    /// The sequence number lies before that of the stream's first packet, across a wrap.
    #[error("sequence number {sequence_number} lies before the start of the stream")]
    BeforeStart {
        /// The sequence number of this packet.
        sequence_number: u16,
    },
    /// All packet indices of the key are used: 2^48 of SRTP, 2^31 of SRTCP. New keys are needed.
    #[error("all packet indices of the key are used")]
    IndexExhausted,
    /// The cipher refused the packet, whose bytes must not be sent.
    #[error("the cipher refused the packet")]
    Cipher,
}
