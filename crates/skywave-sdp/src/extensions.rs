//! Which header extensions are offered and agreed to, and under which ids (RFC 8285 §5): in clear,
//! each encrypted by RFC 6904, or all encrypted by Cryptex (RFC 9335).

use crate::{
    ABS_CAPTURE_TIME_URI, ABS_SEND_TIME_URI, AUDIO_LEVEL_URI, Extmap, MID_URI, MediaSection,
    SendCapabilities, TRANSPORT_CC_URI,
};

/// A header extension as it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NegotiatedExtension {
    /// 1 to 14, or up to 255 except 15 if one- and two-byte forms may be mixed.
    pub id: u8,
    /// It is encrypted by itself (RFC 6904). Never true together with Cryptex.
    pub encrypted: bool,
}

/// The header extensions both ends know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NegotiatedExtensions {
    /// Identification of the section (RFC 9143 §15). `None` also for a mid of more than 16 bytes,
    /// which an extension of the one-byte form cannot hold (RFC 8285 §4.2).
    pub mid: Option<NegotiatedExtension>,
    /// Audio level (RFC 6464).
    pub audio_level: Option<NegotiatedExtension>,
    /// Time a packet left.
    pub abs_send_time: Option<NegotiatedExtension>,
    /// Time the audio was captured.
    pub abs_capture_time: Option<NegotiatedExtension>,
    /// Transport-wide sequence number.
    pub transport_cc: Option<NegotiatedExtension>,
}

impl NegotiatedExtensions {
    /// Finds the ids among the lines both ends agreed on.
    pub(crate) fn of(extmaps: &[Extmap]) -> Self {
        let find = |uri: &str| {
            let extmap = extmaps.iter().find(|extmap| extmap.uri == uri)?;
            Some(NegotiatedExtension {
                // Whether forms may be mixed has been looked at when the line was agreed to.
                id: extmap.wire_id(true)?,
                encrypted: extmap.encrypted,
            })
        };
        Self {
            mid: find(MID_URI),
            audio_level: find(AUDIO_LEVEL_URI),
            abs_send_time: find(ABS_SEND_TIME_URI),
            abs_capture_time: find(ABS_CAPTURE_TIME_URI),
            transport_cc: find(TRANSPORT_CC_URI),
        }
    }
}

/// The lines of an offer. An extension has the same id in every offer; the encrypted version comes
/// after all those in clear, for peers that give up at ids they do not know.
pub(crate) fn offered(capabilities: &SendCapabilities<'_>) -> Vec<Extmap> {
    let in_clear: Vec<_> = wanted(capabilities)
        .map(|(id, uri)| Extmap {
            id,
            direction: None,
            encrypted: false,
            uri: uri.to_owned(),
            attributes: String::new(),
        })
        .collect();
    if !(capabilities.encrypted_extensions && capabilities.offer_encrypted_extensions) {
        return in_clear;
    }
    let encrypted = in_clear.iter().map(|extmap| Extmap {
        id: extmap.id + ENCRYPTED_ID_OFFSET,
        encrypted: true,
        ..extmap.clone()
    });
    in_clear.iter().cloned().chain(encrypted).collect()
}

/// The peer's lines this end agrees to, one an extension, and whether Cryptex is agreed to.
///
/// An extension the peer takes only in RFC 6904's form rules Cryptex out, since no packet may have
/// both (RFC 9335 §4).
pub(crate) fn agreed(
    section: &MediaSection,
    capabilities: &SendCapabilities<'_>,
) -> (Vec<Extmap>, bool) {
    if section.cryptex && capabilities.cryptex {
        let extmaps = choose(section, capabilities, false);
        if extmaps.iter().all(|extmap| !extmap.encrypted) {
            return (extmaps, true);
        }
    }
    (choose(section, capabilities, true), false)
}

/// The first line of each extension this end can send under it, in the preferred version if the
/// peer has it. An id names one extension; another under the same id is left out.
fn choose(
    section: &MediaSection,
    capabilities: &SendCapabilities<'_>,
    prefer_encrypted: bool,
) -> Vec<Extmap> {
    let mut chosen: Vec<Extmap> = Vec::new();
    for (_, uri) in wanted(capabilities) {
        let is_usable = |extmap: &&Extmap| {
            extmap.uri == uri
                && extmap.is_received()
                && extmap.wire_id(section.extmap_allow_mixed).is_some()
                && (!extmap.encrypted || capabilities.encrypted_extensions)
                && (uri != MID_URI || fits(section.mid.as_deref()))
                && chosen.iter().all(|other| other.id != extmap.id)
        };
        let usable = || section.extmaps.iter().filter(is_usable);
        let extmap = usable()
            .find(|extmap| extmap.encrypted == prefer_encrypted)
            .or_else(|| usable().next())
            .cloned();
        chosen.extend(extmap);
    }
    chosen
}

/// Whether an element of the one-byte form can hold the mid.
fn fits(mid: Option<&str>) -> bool {
    mid.is_some_and(|mid| mid.len() <= MAX_MID_BYTES)
}

/// The extensions this end can send, each with the id it has in clear in an offer.
fn wanted(capabilities: &SendCapabilities<'_>) -> impl Iterator<Item = (u16, &'static str)> {
    let all = [
        (true, 1, MID_URI),
        (true, 2, AUDIO_LEVEL_URI),
        (capabilities.abs_send_time, 3, ABS_SEND_TIME_URI),
        (capabilities.abs_capture_time, 4, ABS_CAPTURE_TIME_URI),
        (capabilities.transport_cc, 5, TRANSPORT_CC_URI),
    ];
    let wanted = all.into_iter().filter(|(is_wanted, ..)| *is_wanted);
    wanted.map(|(_, id, uri)| (id, uri))
}

/// Puts the encrypted versions after all ids in clear, and within the 14 of the one-byte form.
const ENCRYPTED_ID_OFFSET: u16 = 5;
const MAX_MID_BYTES: usize = 16;
