//! CertificateRequest (RFC 5246 §7.4.4), widened to RSA.
//!
//! The engine checks whatever signature its provider can, but as a server of DTLS 1.2
//! asks for ECDSA certificates only, so that a client with another one sends none. What
//! it says is changed on the way out, and wherever it looks at its transcript: the
//! peer's is the one that counts. Both must always change, or no handshake completes.

use std::borrow::Cow;

/// The datagram as the client is to get it.
pub(crate) fn widen_datagram(datagram: &[u8]) -> Cow<'_, [u8]> {
    let mut wide = Vec::new();
    let mut rest = datagram;
    while let Some((record, behind)) = split(rest, RECORD_HEADER_LEN, 11..13) {
        let (header, body) = record.split_at(RECORD_HEADER_LEN);
        let is_plain = header[..5] == [HANDSHAKE, 0xfe, 0xfd, 0, 0];
        match widen_messages(body).filter(|_| is_plain) {
            Some(body) => {
                wide.extend_from_slice(&header[..11]);
                wide.extend_from_slice(&u16_of(body.len()).to_be_bytes());
                wide.extend_from_slice(&body);
            }
            None => wide.extend_from_slice(record),
        }
        rest = behind;
    }
    if wide.len() == datagram.len() {
        return Cow::Borrowed(datagram);
    }
    wide.extend_from_slice(rest);
    Cow::Owned(wide)
}

/// A transcript of DTLS 1.2, from the ClientHello on, as the client has it; whatever
/// else is hashed or signed stays what it is.
pub(crate) fn widen_transcript(bytes: &[u8]) -> Cow<'_, [u8]> {
    match bytes.first() {
        Some(&CLIENT_HELLO) => widen_messages(bytes).map_or(Cow::Borrowed(bytes), Cow::Owned),
        _ => Cow::Borrowed(bytes),
    }
}

/// `None` if there is nothing to widen. The message is shorter than any path's MTU and
/// our certificate in front of it short, so the engine never cuts it.
fn widen_messages(messages: &[u8]) -> Option<Vec<u8>> {
    let mut wide = Vec::new();
    let mut rest = messages;
    let mut is_changed = false;
    while let Some((message, behind)) = split(rest, MESSAGE_HEADER_LEN, 9..12) {
        let (header, body) = message.split_at(MESSAGE_HEADER_LEN);
        let is_whole = header[1..4] == header[9..12];
        let body = (header[0] == CERTIFICATE_REQUEST && is_whole).then(|| widen_body(body));
        if let Some(body) = body.flatten() {
            let len = u16_of(body.len()).to_be_bytes();
            // Type, length, message_seq, fragment offset and length (RFC 6347 §4.2.2).
            wide.extend_from_slice(&[header[0], 0, len[0], len[1], header[4], header[5]]);
            wide.extend_from_slice(&[0, 0, 0, 0, len[0], len[1]]);
            wide.extend_from_slice(&body);
            is_changed = true;
        } else {
            wide.extend_from_slice(message);
        }
        rest = behind;
    }
    (is_changed && rest.is_empty()).then_some(wide)
}

/// Certificate types, signature algorithms, names of authorities: RSA comes behind what
/// the first two have.
fn widen_body(body: &[u8]) -> Option<Vec<u8>> {
    let (types, rest) = split(body, 1, 0..1)?;
    let (algorithms, authorities) = split(rest, 2, 0..2)?;
    let mut wide = vec![u8::try_from(types.len()).ok()?];
    wide.extend_from_slice(&types[1..]);
    wide.push(RSA_SIGN);
    wide.extend_from_slice(&u16_of(algorithms.len() - 2 + RSA_ALGORITHMS.len()).to_be_bytes());
    wide.extend_from_slice(&algorithms[2..]);
    wide.extend_from_slice(&RSA_ALGORITHMS);
    wide.extend_from_slice(authorities);
    Some(wide)
}

/// Cuts off a header with what its length field counts behind it.
fn split(
    bytes: &[u8],
    header_len: usize,
    length: std::ops::Range<usize>,
) -> Option<(&[u8], &[u8])> {
    let length = bytes.get(length)?.iter();
    let length = length.fold(0, |n, &byte| n << 8 | usize::from(byte));
    bytes.split_at_checked(header_len + length)
}

/// Nothing widened is longer than the datagram it came in.
fn u16_of(len: usize) -> u16 {
    u16::try_from(len).unwrap_or(u16::MAX)
}

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const CERTIFICATE_REQUEST: u8 = 13;
const RECORD_HEADER_LEN: usize = 13;
const MESSAGE_HEADER_LEN: usize = 12;
/// RFC 5246 §7.4.4
const RSA_SIGN: u8 = 1;
/// `rsa_pkcs1_sha256`, `rsa_pkcs1_sha384`, `rsa_pkcs1_sha512` (RFC 8446 §4.2.3).
const RSA_ALGORITHMS: [u8; 6] = [4, 1, 5, 1, 6, 1];

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, sequence: u8, body: &[u8]) -> Vec<u8> {
        let len = u8::try_from(body.len()).unwrap();
        let mut message = vec![kind, 0, 0, len, 0, sequence, 0, 0, 0, 0, 0, len];
        message.extend_from_slice(body);
        message
    }

    fn record(kind: u8, epoch: u8, body: &[u8]) -> Vec<u8> {
        let len = u8::try_from(body.len()).unwrap();
        let mut record = vec![kind, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 7, 0, len];
        record.extend_from_slice(body);
        record
    }

    /// ecdsa_sign; ECDSA with SHA-256 and SHA-384; no authority.
    const NARROW: &[u8] = &[1, 64, 0, 4, 4, 3, 5, 3, 0, 0];
    const WIDE: &[u8] = &[2, 64, 1, 0, 10, 4, 3, 5, 3, 4, 1, 5, 1, 6, 1, 0, 0];

    #[test]
    fn rsa_is_asked_for_behind_ecdsa() {
        let around = [message(12, 2, &[9; 30]), message(14, 4, &[])];
        let with = |request: &[u8]| {
            let request = message(CERTIFICATE_REQUEST, 3, request);
            [
                record(HANDSHAKE, 0, &around[0]),
                record(HANDSHAKE, 0, &request),
                record(HANDSHAKE, 0, &around[1]),
            ]
            .concat()
        };
        assert_eq!(widen_datagram(&with(NARROW)), with(WIDE));
    }

    #[test]
    fn transcript_changes_as_the_datagram_does() {
        let with = |request: &[u8]| {
            let hello = message(CLIENT_HELLO, 0, &[3; 60]);
            [hello, message(CERTIFICATE_REQUEST, 4, request)].concat()
        };
        assert_eq!(widen_transcript(&with(NARROW)), with(WIDE));
        // Not a transcript from its beginning.
        let behind = &with(NARROW)[72..];
        assert_eq!(widen_transcript(behind), behind);
    }

    #[test]
    fn all_else_goes_out_as_it_is() {
        let request = message(CERTIFICATE_REQUEST, 3, NARROW);
        let mut cut = request.clone();
        cut[3] += 1;
        for datagram in [
            vec![],
            vec![22; 5],
            record(HANDSHAKE, 0, &message(2, 0, &[5; 70])),
            record(HANDSHAKE, 1, &request),
            record(23, 0, &request),
            record(HANDSHAKE, 0, &cut),
            record(HANDSHAKE, 0, &message(CERTIFICATE_REQUEST, 3, &[1])),
            [record(HANDSHAKE, 0, &message(14, 4, &[])), vec![1, 2, 3]].concat(),
        ] {
            assert_eq!(widen_datagram(&datagram), datagram);
        }
    }
}
