//! The certificate fingerprint of RFC 8122 §5: a hash over the certificate's DER.
//!
//! Hash functions weaker than SHA-256 (`sha-1`, `md5`, `md2`) are not understood.

use aws_lc_rs::digest;

/// The hash of one certificate, as an `a=fingerprint` line carries it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    /// The hash function.
    pub algorithm: HashAlgorithm,
    /// The hash itself: 32, 48 or 64 bytes.
    pub value: Vec<u8>,
}

impl Fingerprint {
    /// The fingerprint of the certificate `der`.
    #[must_use]
    pub fn of(algorithm: HashAlgorithm, der: &[u8]) -> Self {
        let value = digest::digest(algorithm.digest(), der).as_ref().to_vec();
        Self { algorithm, value }
    }

    /// Whether this is the fingerprint of the certificate `der`.
    #[must_use]
    pub fn matches(&self, der: &[u8]) -> bool {
        digest::digest(self.algorithm.digest(), der).as_ref() == self.value
    }
}

/// The hash functions understood, from the weakest to the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashAlgorithm {
    /// `sha-256`, the one WebRTC requires (RFC 8827 §6.5).
    Sha256,
    /// `sha-384`
    Sha384,
    /// `sha-512`
    Sha512,
}

impl HashAlgorithm {
    /// The algorithm of this name in the IANA "Hash Function Textual Names"
    /// registry, whatever its case; `None` for one not understood.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Sha256, Self::Sha384, Self::Sha512]
            .into_iter()
            .find(|algorithm| name.eq_ignore_ascii_case(algorithm.name()))
    }

    /// The registered name, such as `sha-256`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }

    fn digest(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }
}

/// Whether the certificate `der` satisfies the signalled fingerprints.
///
/// RFC 8122 §5.1: it must match at least one of those made with the strongest
/// hash function that is understood; weaker ones beside it prove nothing.
pub(crate) fn any_strongest_matches(expected: &[Fingerprint], der: &[u8]) -> bool {
    let Some(strongest) = expected.iter().map(|f| f.algorithm).max() else {
        return false;
    };
    expected
        .iter()
        .any(|f| f.algorithm == strongest && f.matches(der))
}

#[cfg(test)]
mod tests {
    use super::*;

    // FIPS 180-4 example values for the message "abc".
    const ABC_SHA256: [u8; 32] = [
        0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22,
        0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00,
        0x15, 0xad,
    ];

    #[test]
    fn hash_is_the_published_one() {
        let fingerprint = Fingerprint::of(HashAlgorithm::Sha256, b"abc");
        assert_eq!(fingerprint.value, ABC_SHA256);
        assert_eq!(
            Fingerprint::of(HashAlgorithm::Sha384, b"abc").value[..4],
            [0xcb, 0x00, 0x75, 0x3f]
        );
        assert_eq!(
            Fingerprint::of(HashAlgorithm::Sha512, b"abc").value[..4],
            [0xdd, 0xaf, 0x35, 0xa1]
        );
        assert!(fingerprint.matches(b"abc"));
        assert!(!fingerprint.matches(b"abd"));
    }

    #[test]
    fn truncated_value_does_not_match() {
        let mut fingerprint = Fingerprint::of(HashAlgorithm::Sha256, b"abc");
        fingerprint.value.truncate(16);
        assert!(!fingerprint.matches(b"abc"));
        fingerprint.value.clear();
        assert!(!fingerprint.matches(b"abc"));
    }

    #[test]
    fn names_are_read_in_any_case() {
        assert_eq!(
            HashAlgorithm::from_name("SHA-256"),
            Some(HashAlgorithm::Sha256)
        );
        assert_eq!(
            HashAlgorithm::from_name("sha-512"),
            Some(HashAlgorithm::Sha512)
        );
        assert_eq!(HashAlgorithm::from_name("sha-1"), None);
        assert_eq!(HashAlgorithm::from_name("sha256"), None);
    }

    #[test]
    fn nothing_expected_matches_nothing() {
        assert!(!any_strongest_matches(&[], b"abc"));
    }

    #[test]
    fn one_of_several_certificates_is_enough() {
        let other = Fingerprint::of(HashAlgorithm::Sha256, b"other");
        let this = Fingerprint::of(HashAlgorithm::Sha256, b"abc");
        assert!(any_strongest_matches(&[other, this], b"abc"));
    }

    #[test]
    fn weaker_match_does_not_excuse_a_stronger_mismatch() {
        let weak = Fingerprint::of(HashAlgorithm::Sha256, b"abc");
        let strong = Fingerprint::of(HashAlgorithm::Sha512, b"other");
        assert!(!any_strongest_matches(&[weak.clone(), strong], b"abc"));
        let strong = Fingerprint::of(HashAlgorithm::Sha512, b"abc");
        let wrong = Fingerprint::of(HashAlgorithm::Sha256, b"other");
        assert!(any_strongest_matches(&[wrong, strong], b"abc"));
    }
}
