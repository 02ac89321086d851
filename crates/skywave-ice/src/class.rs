//! The class and method of a STUN message (RFC 8489 §5): 2 and 12 bits of the type, interleaved.

/// The class of a STUN message (RFC 8489 §5).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Class {
    /// Asks for a response.
    Request,
    /// Asks for none.
    Indication,
    /// Success response.
    Success,
    /// Error response.
    Error,
}

impl Class {
    pub(crate) fn of(kind: u16) -> Self {
        match kind & 0x0110 {
            0x0000 => Self::Request,
            0x0010 => Self::Indication,
            0x0100 => Self::Success,
            _ => Self::Error,
        }
    }

    pub(crate) fn bits(self) -> u16 {
        match self {
            Self::Request => 0x0000,
            Self::Indication => 0x0010,
            Self::Success => 0x0100,
            Self::Error => 0x0110,
        }
    }
}

/// The Binding method.
pub const BINDING: u16 = 0x001;

/// The method in this message type.
pub(crate) fn method(kind: u16) -> u16 {
    kind & 0x000f | (kind & 0x00e0) >> 1 | (kind & 0x3e00) >> 2
}

/// The message type with the class bits clear; `method` has 12 bits.
pub(crate) fn method_bits(method: u16) -> u16 {
    method & 0x000f | (method & 0x0070) << 1 | (method & 0x0f80) << 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_its_class_and_method() {
        for kind in 0..0x4000 {
            assert_eq!(Class::of(kind).bits() | method_bits(method(kind)), kind);
        }
    }

    #[test]
    fn types_of_the_rfc_are_told_apart() {
        let read = |kind| (Class::of(kind), method(kind));
        assert_eq!(read(0x0001), (Class::Request, BINDING));
        assert_eq!(read(0x0011), (Class::Indication, BINDING));
        assert_eq!(read(0x0101), (Class::Success, BINDING));
        assert_eq!(read(0x0111), (Class::Error, BINDING));
        assert_eq!(read(0x0103), (Class::Success, 3)); // TURN Allocate
    }
}
