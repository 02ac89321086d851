//! Datagrams from anywhere at any time to a hub with peers in every phase: they may end the peers
//! they come from, and must not touch the one that is left alone.

use std::cell::RefCell;
use std::time::Duration;

use skywave_ice::StunWriter;
use skywave_peer::PeerEvent;

use crate::audience::{
    ATTACKER, Audience, CHECKING, FRAME, HANDSHAKING, LISTENER, OFFERED, STRANGER, path,
};

/// Plays what `data` says; true if the hub used a datagram.
///
/// An input is a row of steps: an octet that says what, one that says from which address, two of a
/// length, and so many octets. See `Step`. At most `MAX_STEPS` are played.
///
/// Audiences are used for several inputs, as a handshake takes longer than anything else here, but
/// not after a restart or an answer from the stranger: either loosens what the next may do.
///
/// # Panics
/// If the listener that is left alone misses a packet or anything else happens to it, or if an
/// address gets an answer from which nobody proved to know a password, or if one gets media from
/// which no check of the hub was answered.
pub fn peer_datagram(data: &[u8]) -> bool {
    AUDIENCE.with_borrow_mut(|kept| {
        // Out of its place, so that after a panic nobody finds it.
        let fresh = kept.take().filter(|(_, uses)| *uses < USES);
        let (mut audience, uses) = fresh.unwrap_or_else(|| (Audience::new(), 0));
        let used = play(&mut audience, data);
        let loosened = audience.stranger_has_answered || audience.restarts > 0;
        if !loosened && audience.events.iter().all(|(_, event)| !is_end(event)) {
            audience.events.clear();
            *kept = Some((audience, uses + 1));
        }
        used
    })
}

fn play(audience: &mut Audience, data: &[u8]) -> bool {
    let (frames, dropped) = (audience.frames, audience.dropped());
    audience.events.clear();
    audience.ends[LISTENER].numbers.clear();
    let (mut datagrams, mut proved, mut time) = (0, false, Duration::ZERO);
    let answers_before = audience.to_strangers;
    for step in steps(data).take(MAX_STEPS) {
        let from = path(step.from);
        match step.what {
            What::Raw => audience.receive(from, step.bytes),
            What::Restart(peer) => {
                audience.restart(peer);
                continue;
            }
            What::Check(peer, restarted) => {
                proved |= step.from == STRANGER;
                let fill = |writer: &mut StunWriter<'_>| {
                    for attribute in step.bytes.chunks(8) {
                        let (kind, value) = attribute.split_at(2.min(attribute.len()));
                        let kind = kind.try_into().map_or(0, u16::from_be_bytes);
                        writer.attribute(kind, value);
                    }
                };
                let end = &audience.ends[peer];
                let check = if restarted {
                    end.check_restarted(fill)
                } else {
                    end.check(fill)
                };
                audience.receive(from, &check);
            }
            What::Answer => {
                let Some(mut id) = audience.questions[step.from] else {
                    continue;
                };
                // With octets, it is not quite right.
                let octets = step.bytes.iter().take(id.len());
                id.iter_mut()
                    .zip(octets)
                    .for_each(|(id, octet)| *id ^= octet);
                let genuine = Some(id) == audience.questions[step.from];
                audience.stranger_has_answered |= step.from == STRANGER && genuine;
                let answer = audience.ends[ATTACKER].answer(id);
                audience.receive(from, &answer);
            }
            What::Rtcp => {
                let rtcp = audience.ends[ATTACKER].protect_rtcp(step.bytes);
                audience.receive(from, &rtcp);
            }
            What::Time(frames) => {
                time += FRAME * frames;
                if time <= MAX_TIME {
                    audience.pass(FRAME * frames);
                }
                continue;
            }
        }
        datagrams += 1;
    }
    let used = datagrams > audience.dropped() - dropped;
    audience.pass(5 * FRAME);
    assert_untouched(audience, frames);
    let answered = audience.to_strangers > answers_before;
    assert!(proved || !answered || audience.strangers_may_be_answered);
    audience.strangers_may_be_answered |= proved;
    assert!(audience.stranger_has_answered || audience.media_to_strangers == 0);
    used
}

/// # Panics
/// If the listener that is left alone got not every packet of every frame, in order, or if there
/// is anything to tell of it.
fn assert_untouched(audience: &Audience, frames_before: u32) {
    let of_listener = audience
        .events
        .iter()
        .find(|(id, _)| id.0 == LISTENER as u64);
    assert_eq!(of_listener, None, "{:?}", audience.drops());
    let heard = &audience.ends[LISTENER].numbers;
    let sent = audience.frames - frames_before;
    assert_eq!(heard.len(), sent as usize, "packets were lost");
    let in_order = heard
        .windows(2)
        .all(|pair| pair[1] == pair[0].wrapping_add(1));
    assert!(in_order, "{heard:?}");
}

/// One step of an input.
struct Step<'a> {
    what: What,
    from: usize,
    bytes: &'a [u8],
}

enum What {
    /// The octets as they are.
    Raw,
    /// A check signed with the password of this peer, that of its last restart or the first; every
    /// eight octets are an attribute.
    Check(usize, bool),
    /// An ICE restart of this peer.
    Restart(usize),
    /// The attacker's answer to the last check of the hub that went to this address.
    Answer,
    /// The octets under the keys of the attacker, as RTCP.
    Rtcp,
    /// So many frames go by.
    Time(u32),
}

fn steps(mut data: &[u8]) -> impl Iterator<Item = Step<'_>> {
    std::iter::from_fn(move || {
        let ([what, from, high, low], rest) = data.split_first_chunk()?;
        let len = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
        let (bytes, rest) = rest.split_at(len);
        data = rest;
        let what = match what % 8 {
            _ if *what >= 224 => What::Answer,
            _ if *what >= 208 => What::Restart([ATTACKER, HANDSHAKING][usize::from(*from % 2)]),
            0..=2 => What::Raw,
            3 => What::Check(ATTACKER, *from >= 128),
            4 => {
                let peer = [HANDSHAKING, CHECKING, OFFERED][usize::from(*from / 8 % 3)];
                What::Check(peer, *from >= 128)
            }
            5 | 6 => What::Rtcp,
            _ => What::Time(u32::from(*from)),
        };
        Some(Step {
            what,
            from: usize::from(*from) % 8 % (STRANGER + 1),
            bytes,
        })
    })
}

fn is_end(event: &PeerEvent) -> bool {
    matches!(event, PeerEvent::Failed(_) | PeerEvent::Closed(_))
}

thread_local! {
    /// With the number of inputs that it saw.
    static AUDIENCE: RefCell<Option<(Audience, u32)>> = const { RefCell::new(None) };
}

const USES: u32 = 100;
const MAX_STEPS: usize = 64;
const MAX_TIME: Duration = Duration::from_secs(12);
