//! What the tests of several modules use.

/// The bytes of hexadecimal text; blanks are skipped.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// An RTP packet without CSRCs and extension.
pub(crate) fn rtp(ssrc: u32, sequence_number: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, 111];
    packet.extend_from_slice(&sequence_number.to_be_bytes());
    packet.extend_from_slice(&960_u32.to_be_bytes());
    packet.extend_from_slice(&ssrc.to_be_bytes());
    packet.extend_from_slice(payload);
    packet
}

/// An RTCP receiver report without blocks and, behind it, `rest`.
pub(crate) fn rtcp(ssrc: u32, rest: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, 201, 0, 1];
    packet.extend_from_slice(&ssrc.to_be_bytes());
    packet.extend_from_slice(rest);
    packet
}

/// A master key of `profile` of which every byte is different.
pub(crate) fn master(profile: crate::Profile) -> crate::MasterKey {
    let bytes: Vec<u8> = (1..=64).collect();
    let (key, salt) = bytes.split_at(profile.key_len());
    crate::MasterKey::new(profile, key, &salt[..profile.salt_len()]).unwrap()
}

pub(crate) const PROFILES: &[crate::Profile] = &[
    crate::Profile::Aes128CmHmacSha1_80,
    crate::Profile::Aes128CmHmacSha1_32,
    // The library behind these is C and assembly.
    #[cfg(not(miri))]
    crate::Profile::AeadAes128Gcm,
    #[cfg(not(miri))]
    crate::Profile::AeadAes256Gcm,
];
