//! A received STUN message (RFC 8489 §5, §14), checked once and then read without failing.
//!
//! Refused: a datagram that is not exactly one message, attributes that run past the end or have
//! a size or value their type does not allow, and anything after FINGERPRINT. Of attributes given
//! twice the first counts (RFC 8489 §14); attributes after MESSAGE-INTEGRITY other than
//! FINGERPRINT are not looked at (RFC 8489 §14.5), as nothing vouches for them.

use std::net::SocketAddr;

use crate::attribute::{
    self, COMPREHENSION_OPTIONAL, FAMILY_IPV4, FAMILY_IPV6, FINGERPRINT_XOR, HEADER_LEN,
    MAGIC_COOKIE, address_mask,
};
use crate::class::{self, Class};
use crate::{DropReason, IntegrityKey};

/// A view of a received STUN message whose structure was checked. Whether it is genuine is for
/// [`fingerprint_ok`](Self::fingerprint_ok) and [`verify_integrity`](Self::verify_integrity).
#[derive(Clone, Debug)]
pub struct StunMessage<'a> {
    bytes: &'a [u8],
    class: Class,
    method: u16,
    transaction_id: [u8; 12],
    username: Option<&'a [u8]>,
    priority: Option<u32>,
    use_candidate: bool,
    ice_controlling: Option<u64>,
    ice_controlled: Option<u64>,
    error_code: Option<u16>,
    xor_mapped_address: Option<SocketAddr>,
    unknown: Unknown,
    integrity: Option<Trailer<[u8; 20]>>,
    fingerprint: Option<Trailer<u32>>,
}

impl<'a> StunMessage<'a> {
    /// Checks the structure of one datagram, in time linear in its length.
    ///
    /// # Errors
    /// `Truncated`, `NotStun`, `BadLength` or `BadAttribute`.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DropReason> {
        if !bytes.first().is_none_or(|first| is_stun(*first)) {
            return Err(DropReason::NotStun);
        }
        let header: &[u8; HEADER_LEN] = bytes.first_chunk().ok_or(DropReason::Truncated)?;
        if header[4..8] != MAGIC_COOKIE {
            return Err(DropReason::NotStun);
        }
        let len = HEADER_LEN + usize::from(u16::from_be_bytes([header[2], header[3]]));
        if len > bytes.len() {
            return Err(DropReason::Truncated);
        }
        if len < bytes.len() || !len.is_multiple_of(4) {
            return Err(DropReason::BadLength);
        }
        let mut message = Self::without_attributes(bytes, header);
        message.read_attributes()?;
        Ok(message)
    }

    /// The class of the message.
    #[must_use]
    pub fn class(&self) -> Class {
        self.class
    }

    /// The method, 12 bits; [`BINDING`](crate::BINDING) is the only one of ICE.
    #[must_use]
    pub fn method(&self) -> u16 {
        self.method
    }

    /// The transaction id, which a response repeats.
    #[must_use]
    pub fn transaction_id(&self) -> [u8; 12] {
        self.transaction_id
    }

    /// USERNAME.
    #[must_use]
    pub fn username(&self) -> Option<&'a [u8]> {
        self.username
    }

    /// The part of USERNAME before the colon: in a request the fragment of the agent asked
    /// (RFC 8445 §7.2.2), by which the peer is found. None without USERNAME, without a colon or
    /// if it is not UTF-8.
    #[must_use]
    pub fn local_ufrag(&self) -> Option<&'a str> {
        let username = self.username?;
        let colon = username.iter().position(|byte| *byte == b':')?;
        std::str::from_utf8(&username[..colon]).ok()
    }

    /// PRIORITY: what a peer-reflexive candidate learnt from this check would have.
    #[must_use]
    pub fn priority(&self) -> Option<u32> {
        self.priority
    }

    /// Whether USE-CANDIDATE is there: the check nominates its path.
    #[must_use]
    pub fn use_candidate(&self) -> bool {
        self.use_candidate
    }

    /// The tie-breaker of ICE-CONTROLLING.
    #[must_use]
    pub fn ice_controlling(&self) -> Option<u64> {
        self.ice_controlling
    }

    /// The tie-breaker of ICE-CONTROLLED.
    #[must_use]
    pub fn ice_controlled(&self) -> Option<u64> {
        self.ice_controlled
    }

    /// The code of ERROR-CODE, 300 to 699.
    #[must_use]
    pub fn error_code(&self) -> Option<u16> {
        self.error_code
    }

    /// XOR-MAPPED-ADDRESS, decoded.
    #[must_use]
    pub fn xor_mapped_address(&self) -> Option<SocketAddr> {
        self.xor_mapped_address
    }

    /// The first eight attribute types that must be understood and are not.
    #[must_use]
    pub fn unknown_attributes(&self) -> &[u16] {
        &self.unknown.types[..self.unknown.len]
    }

    /// Whether MESSAGE-INTEGRITY is there and made with this key, over the bytes received. The
    /// comparison takes constant time.
    #[must_use]
    pub fn verify_integrity(&self, key: &IntegrityKey) -> bool {
        self.integrity
            .as_ref()
            .is_some_and(|integrity| key.verify(&self.bytes[..integrity.at], &integrity.value))
    }

    /// Whether FINGERPRINT is there and right.
    #[must_use]
    pub fn fingerprint_ok(&self) -> bool {
        self.fingerprint.as_ref().is_some_and(|fingerprint| {
            crc32fast::hash(&self.bytes[..fingerprint.at]) ^ FINGERPRINT_XOR == fingerprint.value
        })
    }

    fn without_attributes(bytes: &'a [u8], header: &[u8; HEADER_LEN]) -> Self {
        let kind = u16::from_be_bytes([header[0], header[1]]);
        let mut transaction_id = [0; 12];
        transaction_id.copy_from_slice(&header[8..]);
        Self {
            bytes,
            class: Class::of(kind),
            method: class::method(kind),
            transaction_id,
            username: None,
            priority: None,
            use_candidate: false,
            ice_controlling: None,
            ice_controlled: None,
            error_code: None,
            xor_mapped_address: None,
            unknown: Unknown::default(),
            integrity: None,
            fingerprint: None,
        }
    }

    fn read_attributes(&mut self) -> Result<(), DropReason> {
        let mut at = HEADER_LEN;
        while let Some([t0, t1, l0, l1]) = self.bytes[at..].first_chunk() {
            let start = at + 4;
            let end = start + usize::from(u16::from_be_bytes([*l0, *l1]));
            let value = self.bytes.get(start..end).ok_or(DropReason::BadAttribute)?;
            self.read_attribute(u16::from_be_bytes([*t0, *t1]), at, value)
                .ok_or(DropReason::BadAttribute)?;
            // The message ends on a multiple of four, so the padding lies within it.
            at = end.next_multiple_of(4);
        }
        Ok(())
    }

    /// None when the attribute may not be here or its value is impossible.
    fn read_attribute(&mut self, kind: u16, at: usize, value: &'a [u8]) -> Option<()> {
        if self.fingerprint.is_some() {
            return None;
        }
        if kind == attribute::FINGERPRINT {
            let value = u32::from_be_bytes(value.try_into().ok()?);
            self.fingerprint = Some(Trailer { at, value });
            return Some(());
        }
        if self.integrity.is_some() {
            return Some(());
        }
        match kind {
            attribute::MESSAGE_INTEGRITY => {
                let value = value.try_into().ok()?;
                self.integrity = Some(Trailer { at, value });
            }
            attribute::USERNAME => first(&mut self.username, value),
            attribute::PRIORITY => {
                let priority = u32::from_be_bytes(value.try_into().ok()?);
                first(&mut self.priority, priority);
            }
            attribute::USE_CANDIDATE if value.is_empty() => self.use_candidate = true,
            attribute::USE_CANDIDATE => return None,
            attribute::ICE_CONTROLLING => {
                let tie_breaker = u64::from_be_bytes(value.try_into().ok()?);
                first(&mut self.ice_controlling, tie_breaker);
            }
            attribute::ICE_CONTROLLED => {
                let tie_breaker = u64::from_be_bytes(value.try_into().ok()?);
                first(&mut self.ice_controlled, tie_breaker);
            }
            attribute::ERROR_CODE => first(&mut self.error_code, error_code(value)?),
            attribute::XOR_MAPPED_ADDRESS => {
                let address = xor_address(value, &self.transaction_id)?;
                first(&mut self.xor_mapped_address, address);
            }
            // Known, but of no use here (RFC 8489 §6.3).
            attribute::MAPPED_ADDRESS
            | attribute::UNKNOWN_ATTRIBUTES
            | attribute::REALM
            | attribute::NONCE
            | COMPREHENSION_OPTIONAL.. => {}
            _ => self.unknown.push(kind),
        }
        Some(())
    }
}

/// Whether a datagram with this first byte is STUN's (RFC 7983 §7).
#[must_use]
pub fn is_stun(first_byte: u8) -> bool {
    first_byte < 4
}

/// MESSAGE-INTEGRITY or FINGERPRINT: its value, which covers the bytes before `at`.
#[derive(Clone, Debug)]
struct Trailer<T> {
    at: usize,
    value: T,
}

/// Bounded, so that a datagram full of unknown attributes costs nothing.
#[derive(Clone, Default, Debug)]
struct Unknown {
    types: [u16; MAX_UNKNOWN],
    len: usize,
}

impl Unknown {
    fn push(&mut self, kind: u16) {
        if let Some(slot) = self.types.get_mut(self.len) {
            *slot = kind;
            self.len += 1;
        }
    }
}

const MAX_UNKNOWN: usize = 8;

fn first<T>(slot: &mut Option<T>, value: T) {
    slot.get_or_insert(value);
}

fn error_code(value: &[u8]) -> Option<u16> {
    let [_, _, class, number] = value.first_chunk()?;
    // The upper bits of the class byte are reserved and ignored (RFC 8489 §14.8).
    let class = class & 7;
    ((3..=6).contains(&class) && *number < 100).then(|| u16::from(class) * 100 + u16::from(*number))
}

fn xor_address(value: &[u8], transaction_id: &[u8; 12]) -> Option<SocketAddr> {
    let ([_, family, p0, p1], address) = value.split_first_chunk()?;
    let mask = address_mask(transaction_id);
    let port = u16::from_be_bytes([p0 ^ mask[0], p1 ^ mask[1]]);
    match *family {
        FAMILY_IPV4 => Some((xor::<4>(address, &mask)?, port).into()),
        FAMILY_IPV6 => Some((xor::<16>(address, &mask)?, port).into()),
        _ => None,
    }
}

fn xor<const N: usize>(bytes: &[u8], mask: &[u8; 16]) -> Option<[u8; N]> {
    let mut bytes: [u8; N] = bytes.try_into().ok()?;
    bytes
        .iter_mut()
        .zip(mask)
        .for_each(|(byte, mask)| *byte ^= mask);
    Some(bytes)
}
