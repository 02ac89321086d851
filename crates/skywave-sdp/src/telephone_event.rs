//! Telephone events (RFC 4733): the events a receiver understands, of which only DTMF's are kept.

use crate::Fmtp;

/// Telephone events of the sent codec's clock rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TelephoneEvent {
    /// Payload type to send with.
    pub payload_type: u8,
    /// The events 0 to 15 the peer understands, a bit each: digits, `*`, `#`, `A` to `D`. Never 0.
    pub events: u16,
}

/// The events 0 to 15 in a list such as `0-11,16`; RFC 4733 §2.4.1 has 0 to 15 if there is none.
/// Items that cannot be read are skipped.
pub(crate) fn events(fmtp: &Fmtp) -> u16 {
    let Some((name, value)) = fmtp.parameters.first() else {
        return u16::MAX;
    };
    // The media type's parameter has a name (RFC 4733 §7.1.1), SDP leaves it out.
    let list = if name == "events" { value } else { name };
    list.split(',')
        .filter_map(range)
        .fold(0, |all, some| all | some)
}

/// One event, or the first and the last of several.
fn range(item: &str) -> Option<u16> {
    let (first, last) = item.split_once('-').unwrap_or((item, item));
    let first: u8 = first.trim().parse().ok()?;
    let last: u8 = last.trim().parse().ok()?;
    Some((first..=last.min(LAST_EVENT)).fold(0, |events, event| events | 1 << event))
}

/// The list of these events, ranges drawn together.
pub(crate) fn list(events: u16) -> String {
    let has = |event: u8| event <= LAST_EVENT && events & 1 << event != 0;
    let mut ranges = Vec::new();
    let mut event = 0;
    while event <= LAST_EVENT {
        let first = event;
        while has(event) {
            event += 1;
        }
        match event - first {
            0 => event += 1,
            1 => ranges.push(first.to_string()),
            _ => ranges.push(format!("{first}-{}", event - 1)),
        }
    }
    ranges.join(",")
}

const LAST_EVENT: u8 = 15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc4733_2_4_1_event_lists_are_read() {
        for (text, expected) in [
            ("", 0xffff),
            ("0-15", 0xffff),
            ("0-15,66,70", 0xffff),
            ("0-11,16", 0x0fff),
            ("events=0-9", 0x03ff),
            (" 1 , 3 - 4", 0b1_1010),
            ("0-255", 0xffff),
            ("15-16", 0x8000),
            ("9-3", 0),
            ("16-20", 0),
            ("0-300,2", 0b100),
            ("x,,-,1-,5", 0b10_0000),
            ("none", 0),
        ] {
            assert_eq!(events(&Fmtp::parse(text)), expected, "{text}");
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "reads 65,535 lists")]
    fn every_set_is_written_and_read_back() {
        for set in 1..=u16::MAX {
            assert_eq!(events(&Fmtp::parse(&list(set))), set);
        }
        assert_eq!(list(0xffff), "0-15");
        assert_eq!(list(0b1_1010), "1,3-4");
    }
}
