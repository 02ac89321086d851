//! `a=fingerprint`: the hash of a certificate (RFC 8122 §5).

use std::fmt;
use std::str::FromStr;

use crate::Error;
use crate::error::excerpt;

/// The hash of a certificate and the name of the hash function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// Name of the hash function in lower case, such as `sha-256`.
    pub algorithm: String,
    /// The hash.
    pub value: Vec<u8>,
}

impl Fingerprint {
    /// Whether it is by a hash function strong enough to trust and known to this project.
    #[must_use]
    pub fn is_supported(&self) -> bool {
        matches!(self.algorithm.as_str(), "sha-256" | "sha-384" | "sha-512")
    }
}

/// Reads the value of `a=fingerprint` in either case; the length must fit a known algorithm.
impl FromStr for Fingerprint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).ok_or_else(|| Error::InvalidFingerprint(excerpt(text)))
    }
}

/// The value of `a=fingerprint`, in upper-case hexadecimal.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.algorithm)?;
        for (index, byte) in self.value.iter().enumerate() {
            let separator = if index == 0 { ' ' } else { ':' };
            write!(f, "{separator}{byte:02X}")?;
        }
        Ok(())
    }
}

fn parse(text: &str) -> Option<Fingerprint> {
    let (algorithm, hex) = text.trim().split_once(' ')?;
    let algorithm = algorithm.to_ascii_lowercase();
    let value: Vec<u8> = hex.trim().split(':').map(byte).collect::<Option<_>>()?;
    let fits = hash_bytes(&algorithm).is_none_or(|bytes| bytes == value.len());
    fits.then_some(Fingerprint { algorithm, value })
}

fn byte(digits: &str) -> Option<u8> {
    // `from_str_radix` would take "+a" too.
    let hexadecimal = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    hexadecimal
        .then(|| u8::from_str_radix(digits, 16).ok())
        .flatten()
}

fn hash_bytes(algorithm: &str) -> Option<usize> {
    match algorithm {
        "sha-1" => Some(20),
        "sha-256" => Some(32),
        "sha-384" => Some(48),
        "sha-512" => Some(64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 8122 §5.
    const RFC_8122: &str = "sha-256 \
        12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD";

    #[test]
    fn both_cases_are_read_and_upper_case_is_written() {
        let upper: Fingerprint = RFC_8122.parse().unwrap();
        let lower: Fingerprint = RFC_8122.to_lowercase().parse().unwrap();
        let algorithm_upper: Fingerprint = RFC_8122.to_uppercase().parse().unwrap();
        assert_eq!(upper.value[..4], [0x12, 0xDF, 0x3E, 0x5D]);
        assert_eq!(upper, lower);
        assert_eq!(upper, algorithm_upper);
        assert_eq!(upper.to_string(), RFC_8122);
    }

    #[test]
    fn hash_of_wrong_length_or_digits_is_refused() {
        for bad in [
            "",
            "sha-256",
            "sha-256 ",
            "sha-256 12:DF",
            &RFC_8122.replace("12:", "+2:"),
            &RFC_8122.replace("12:", "G2:"),
            &RFC_8122.replace(':', ""),
            &RFC_8122.replace("sha-256", "sha-512"),
        ] {
            let error = bad.parse::<Fingerprint>().unwrap_err();
            assert!(matches!(error, Error::InvalidFingerprint(_)), "{bad}");
        }
    }

    #[test]
    fn weak_and_unknown_algorithms_are_read_but_not_supported() {
        let unknown: Fingerprint = "MD5 01:02".parse().unwrap();
        assert_eq!(unknown.algorithm, "md5");
        assert!(!unknown.is_supported());
        assert!(RFC_8122.parse::<Fingerprint>().unwrap().is_supported());
    }
}
