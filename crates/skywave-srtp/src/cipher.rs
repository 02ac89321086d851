//! The cipher of one direction: one dispatch per packet, to AES-CM or AES-GCM.

use crate::aes_cm::AesCm;
use crate::aes_gcm::{AesGcm, NonceSalt};
use crate::encrypted_portion::EncryptedPortion;
use crate::key_derivation::SessionKeys;
use crate::{DropReason, Error, Profile};

/// The keyed cipher of one direction.
///
/// Every method takes exactly the protected packet, room for tag and index included, and relies
/// on its caller for the lengths: the packet is no shorter than header and overhead together.
/// AES-GCM wants the salt of its nonces; AES-CM, whose salt is longer, has its own.
#[expect(
    clippy::large_enum_variant,
    reason = "key schedules lie beside the packet index, so that a packet follows no pointer"
)]
pub(crate) enum Cipher {
    Cm(AesCm),
    Gcm(AesGcm),
}

impl Cipher {
    pub(crate) fn new(profile: Profile, keys: &SessionKeys) -> Self {
        match profile {
            Profile::Aes128CmHmacSha1_80 | Profile::Aes128CmHmacSha1_32 => {
                Self::Cm(AesCm::new(profile, keys))
            }
            Profile::AeadAes128Gcm | Profile::AeadAes256Gcm => {
                Self::Gcm(AesGcm::new(profile, keys))
            }
        }
    }

    /// Bytes added to an RTP packet.
    pub(crate) fn rtp_overhead(&self) -> usize {
        match self {
            Self::Cm(cm) => cm.rtp_tag_len(),
            Self::Gcm(_) => AesGcm::TAG_LEN,
        }
    }

    /// Makes SRTP of RTP; `index` is ROC and sequence number, 48 bits.
    pub(crate) fn seal_rtp(
        &self,
        salt: &NonceSalt,
        packet: &mut [u8],
        portion: EncryptedPortion,
        ssrc: u32,
        index: u64,
    ) -> Result<(), Error> {
        match self {
            Self::Cm(cm) => {
                cm.seal_rtp(packet, portion, ssrc, index);
                Ok(())
            }
            Self::Gcm(gcm) => gcm.seal_rtp(salt, packet, portion, ssrc, index),
        }
    }

    /// Makes RTP of SRTP.
    pub(crate) fn open_rtp(
        &self,
        salt: &NonceSalt,
        packet: &mut [u8],
        portion: EncryptedPortion,
        ssrc: u32,
        index: u64,
    ) -> Result<(), DropReason> {
        match self {
            Self::Cm(cm) => cm.open_rtp(packet, portion, ssrc, index),
            Self::Gcm(gcm) => gcm.open_rtp(salt, packet, portion, ssrc, index),
        }
    }

    /// Makes SRTCP of RTCP; `index` has 31 bits.
    pub(crate) fn seal_rtcp(
        &self,
        salt: &NonceSalt,
        packet: &mut [u8],
        ssrc: u32,
        index: u32,
    ) -> Result<(), Error> {
        match self {
            Self::Cm(cm) => {
                cm.seal_rtcp(packet, ssrc, index);
                Ok(())
            }
            Self::Gcm(gcm) => gcm.seal_rtcp(salt, packet, ssrc, index),
        }
    }

    /// Makes RTCP of SRTCP; `index` is that of its index word.
    pub(crate) fn open_rtcp(
        &self,
        salt: &NonceSalt,
        packet: &mut [u8],
        ssrc: u32,
        index: u32,
    ) -> Result<(), DropReason> {
        match self {
            Self::Cm(cm) => cm.open_rtcp(packet, ssrc, index),
            Self::Gcm(gcm) => gcm.open_rtcp(salt, packet, ssrc, index),
        }
    }
}
