//! STUN attribute types and the fixed numbers of the wire format (RFC 8489 §5, §18.3; RFC 8445
//! §16.1).

pub(crate) const MAPPED_ADDRESS: u16 = 0x0001;
pub(crate) const USERNAME: u16 = 0x0006;
pub(crate) const MESSAGE_INTEGRITY: u16 = 0x0008;
pub(crate) const ERROR_CODE: u16 = 0x0009;
pub(crate) const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
pub(crate) const REALM: u16 = 0x0014;
pub(crate) const NONCE: u16 = 0x0015;
pub(crate) const XOR_MAPPED_ADDRESS: u16 = 0x0020;
pub(crate) const PRIORITY: u16 = 0x0024;
pub(crate) const USE_CANDIDATE: u16 = 0x0025;
pub(crate) const FINGERPRINT: u16 = 0x8028;
pub(crate) const ICE_CONTROLLED: u16 = 0x8029;
pub(crate) const ICE_CONTROLLING: u16 = 0x802a;

/// Types below this one must be understood or the request refused (RFC 8489 §14).
pub(crate) const COMPREHENSION_OPTIONAL: u16 = 0x8000;

pub(crate) const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
pub(crate) const HEADER_LEN: usize = 20;
/// The attribute header and the HMAC-SHA1.
pub(crate) const MESSAGE_INTEGRITY_LEN: usize = 24;
/// The CRC-32 of FINGERPRINT is XORed with this, "STUN" in ASCII (RFC 8489 §14.7).
pub(crate) const FINGERPRINT_XOR: u32 = 0x5354_554e;

/// Address families of XOR-MAPPED-ADDRESS (RFC 8489 §14.1).
pub(crate) const FAMILY_IPV4: u8 = 1;
pub(crate) const FAMILY_IPV6: u8 = 2;

/// The bytes an address is XORed with: the magic cookie, then the transaction id (RFC 8489
/// §14.2). IPv4 uses the first four, the port the first two.
pub(crate) fn address_mask(transaction_id: &[u8; 12]) -> [u8; 16] {
    let mut mask = [0; 16];
    mask[..4].copy_from_slice(&MAGIC_COOKIE);
    mask[4..].copy_from_slice(transaction_id);
    mask
}
