//! A call from the first check to the farewell.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use skywave_dtls::{Fingerprint, HashAlgorithm, Role};
use skywave_peer::{CloseReason, DropReason, FailureReason, PeerEvent, PeerId};
use skywave_rtp::{NtpTime, RtcpPacket, RtcpReader, RtpPacket};

use support::listener::path;
use support::{STREAM, World};

const SOON: Duration = Duration::from_secs(5);

#[test]
fn media_flows_in_both_dtls_roles() {
    for role in [Role::Server, Role::Client] {
        let mut world = World::new();
        let index = world.add(role);
        assert!(
            world.run_until(SOON, |world| world.is_connected(index)),
            "{role:?}"
        );
        world.run(Duration::from_secs(1));
        let listener = &world.listeners[index];
        assert!(listener.packets.len() >= 49);
        for pair in listener.sequence_numbers().windows(2) {
            assert_eq!(pair[1], pair[0].wrapping_add(1));
        }
        let first = RtpPacket::parse(&listener.packets[0]).unwrap();
        assert!(first.sequence_number() < 1 << 15);
        assert_eq!(first.payload_type(), 111);
        let ids: Vec<u8> = first.extensions().map(|extension| extension.id).collect();
        assert_eq!(ids, [2, 1]);
        assert_eq!(world.hub.listeners(STREAM), 1);
    }
}

#[test]
fn every_call_stands_over_a_link_that_loses_a_fifth() {
    for seed in 0..8 {
        let mut world = World::new();
        world.loss = 51;
        // Other losses each time.
        for _ in 0..seed {
            world.run(support::TICK);
            world.add_offering(Role::Server);
        }
        let index = world.add(Role::Server);
        let heard = |world: &World| !world.listeners[index].packets.is_empty();
        assert!(
            world.run_until(Duration::from_secs(10), heard),
            "{:?}",
            world.events
        );
    }
}

#[test]
fn rfc8842_5_2_handshake_may_be_done_before_the_answer_is_here() {
    let mut world = World::new();
    let index = world.add_offering(Role::Server);
    world.run(Duration::from_secs(60));
    assert!(world.events.is_empty(), "{:?}", world.events);
    assert!(
        world.listeners[index].packets.is_empty(),
        "media before the answer"
    );
    let remote = world.remote(index, Role::Server);
    world.set_remote(index, remote);
    assert!(world.is_connected(index));
    world.run(Duration::from_secs(1));
    assert!(world.listeners[index].packets.len() >= 49);
}

#[test]
fn checks_before_an_answer_that_says_passive_do_not_settle_the_role() {
    let mut world = World::new();
    let index = world.add_offering(Role::Client);
    world.run(Duration::from_secs(1));
    let remote = world.remote(index, Role::Client);
    world.set_remote(index, remote);
    assert!(
        world.run_until(SOON, |world| world.is_connected(index)),
        "{:?}",
        world.events
    );
}

#[test]
fn rfc8842_5_1_other_certificate_than_announced_ends_the_session_without_media() {
    let mut world = World::new();
    let index = world.add_offering(Role::Server);
    let mut remote = world.remote(index, Role::Server);
    remote.fingerprints = vec![Fingerprint::of(
        HashAlgorithm::Sha256,
        b"another certificate",
    )];
    world.set_remote(index, remote);
    world.run(SOON);
    let mismatch = FailureReason::Handshake(skywave_dtls::Error::FingerprintMismatch);
    assert_eq!(world.events_of(index), [PeerEvent::Failed(mismatch)]);
    assert!(world.listeners[index].packets.is_empty());
    assert!(world.listeners[index].closed, "it is told by close_notify");
    assert!(world.hub.is_empty());
}

#[test]
fn media_waits_for_the_nomination() {
    let mut world = World::new();
    let index = world.add(Role::Server);
    world.listeners[index].nominates = false;
    world.run(SOON);
    assert!(!world.is_connected(index));
    world.listeners[index].nominates = true;
    assert!(world.run_until(SOON + SOON, |world| world.is_connected(index)));
}

#[test]
fn media_follows_a_peer_that_moves() {
    let mut world = World::new();
    let index = world.connect();
    let now = world.now;
    world.listeners[index].move_to(7, now);
    world.listeners[index].packets.clear();
    world.run(Duration::from_secs(1));
    let moved = world.listeners[index].path;
    assert!(world.events_of(index).contains(&PeerEvent::Moved(moved)));
    assert!(world.listeners[index].packets.len() >= 48);
}

#[test]
fn rfc7675_5_1_silent_peer_is_disconnected_then_forgotten_and_nothing_is_sent_after() {
    let mut world = World::new();
    let index = world.connect();
    world.listeners[index].checks = false;
    let disconnected = |world: &World| world.events_of(index).contains(&PeerEvent::Disconnected);
    assert!(world.run_until(Duration::from_secs(8), disconnected));
    world.listeners[index].checks = true;
    let reconnected = |world: &World| world.events_of(index).contains(&PeerEvent::Reconnected);
    assert!(world.run_until(SOON, reconnected));

    world.listeners[index].checks = false;
    let failed = PeerEvent::Failed(FailureReason::ConsentExpired);
    let gone = |world: &World| world.events_of(index).contains(&failed);
    assert!(world.run_until(Duration::from_secs(31), gone));
    let heard = world.listeners[index].datagrams;
    world.run(SOON);
    assert_eq!(world.listeners[index].datagrams, heard);
    assert!(
        !world.listeners[index].closed,
        "no farewell without consent"
    );
    assert!(world.hub.is_empty());
}

#[test]
fn peer_that_never_checks_fails_when_patience_ends() {
    let mut world = World::new();
    let index = world.add(Role::Server);
    world.listeners[index].checks = false;
    world.run(Duration::from_secs(31));
    assert_eq!(
        world.events_of(index),
        [PeerEvent::Failed(FailureReason::NoConnectivity)]
    );
}

#[test]
fn handshake_that_never_ends_fails_when_patience_ends() {
    let mut world = World::new();
    let index = world.add(Role::Server);
    let check = world.listeners[index].check(true);
    world.listeners[index].checks = false;
    world.receive(path(index, 900), &check);
    world.run(Duration::from_secs(11));
    assert_eq!(
        world.events_of(index),
        [PeerEvent::Failed(FailureReason::HandshakeTimeout)]
    );
}

#[test]
fn handshake_that_goes_on_is_waited_for_three_times_as_long() {
    let mut world = World::new();
    let index = world.add(Role::Server);
    let check = world.listeners[index].check(true);
    world.listeners[index].checks = false;
    world.receive(path(index, 900), &check);
    let mut seconds = 0;
    while world.events_of(index).is_empty() {
        // A handshake record of nothing.
        world.receive(
            path(index, 900),
            &[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        );
        world.run(Duration::from_secs(1));
        seconds += 1;
        assert!(seconds < 60, "kept alive for ever");
    }
    assert!((29..=31).contains(&seconds), "{seconds} s");
    assert_eq!(
        world.events_of(index),
        [PeerEvent::Failed(FailureReason::HandshakeTimeout)]
    );
}

#[test]
fn hanging_up_says_bye_and_then_close_notify() {
    let mut world = World::new();
    let index = world.connect();
    world.listeners[index].reports.clear();
    world.with_hub(|hub, io| hub.close(PeerId(index as u64), io));
    let listener = &world.listeners[index];
    assert!(listener.closed, "close_notify");
    let (_, compound) = listener.reports.last().unwrap();
    let packets: Vec<_> = RtcpReader::new(compound).collect();
    assert!(
        matches!(
            packets[..],
            [
                RtcpPacket::SenderReport { .. },
                RtcpPacket::SourceDescription(_),
                RtcpPacket::Bye(_)
            ]
        ),
        "RFC 3550 §6.1: {packets:?}"
    );
    assert_eq!(
        world.events_of(index).last(),
        Some(&PeerEvent::Closed(CloseReason::Local))
    );
}

#[test]
fn rfc3550_6_3_7_no_bye_if_nothing_was_sent() {
    let mut world = World::new();
    let index = world.add(Role::Server);
    let checked = |world: &World| world.listeners[index].datagrams > 0;
    assert!(world.run_until(SOON, checked));
    world.with_hub(|hub, io| hub.close(PeerId(index as u64), io));
    assert!(world.listeners[index].reports.is_empty());
}

#[test]
fn peer_hangs_up_by_dtls_or_by_bye() {
    let mut world = World::new();
    let (first, second) = (world.connect(), world.connect());
    let now = world.now;
    world.listeners[first].close(now);
    let ssrc = [0, 0, 0, 1];
    let bye = [[0x80, 201, 0, 1], ssrc, [0x81, 203, 0, 1], ssrc].concat();
    world.listeners[second].send_rtcp(&bye);
    world.run(support::TICK);
    let closed = |reason| Some(PeerEvent::Closed(reason));
    assert_eq!(
        world.events_of(first).pop(),
        closed(CloseReason::DtlsClosed)
    );
    assert_eq!(world.events_of(second).pop(), closed(CloseReason::Bye));
    assert!(world.hub.is_empty());
    assert!(
        world.listeners[second].closed,
        "BYE is answered by close_notify"
    );
}

#[test]
fn address_of_a_peer_that_left_is_a_strangers_again() {
    let mut world = World::new();
    let index = world.connect();
    world.with_hub(|hub, io| hub.close(PeerId(index as u64), io));
    let path = world.listeners[index].path;
    world.receive(path, &[22, 254, 253, 0]);
    assert_eq!(world.hub.drops().count(DropReason::DtlsFromStranger), 1);
}

#[test]
fn rfc3550_8_2_bye_for_another_source_or_for_none_is_no_farewell() {
    let mut world = World::new();
    let index = world.connect();
    let report = [[0x80, 201, 0, 1], [0, 0, 0, 1]].concat();
    let other = [&report[..], &[0x81, 203, 0, 1, 0, 0, 0, 9]].concat();
    let none = [&report[..], &[0x80, 203, 0, 0]].concat();
    world.listeners[index].send_rtcp(&other);
    world.listeners[index].send_rtcp(&none);
    world.run(Duration::from_secs(1));
    assert!(!world.hub.is_empty());
}

#[test]
fn only_the_latest_addresses_of_a_peer_are_its_own() {
    let mut world = World::new();
    let index = world.connect();
    let check = world.listeners[index].check(false);
    for place in 100..120 {
        world.receive(path(index, place), &check);
    }
    let strangers = |world: &World| world.hub.drops().count(DropReason::DtlsFromStranger);
    world.receive(path(index, 100), &[22, 254, 253, 0]);
    assert_eq!(strangers(&world), 1, "the oldest is forgotten");
    for known in [path(index, 119), world.listeners[index].path] {
        world.receive(known, &[22, 254, 253, 0]);
        assert_eq!(strangers(&world), 1, "{known:?} is still its own");
    }
}

#[test]
fn patience_without_end_is_legal() {
    let mut world = World::new();
    world.limits.answer_timeout = Duration::MAX;
    world.limits.connect_timeout = Duration::MAX;
    world.limits.handshake_timeout = Duration::MAX;
    world.limits.disconnected_timeout = Duration::MAX;
    world.limits.consent_timeout = Duration::MAX;
    let index = world.connect();
    world.listeners[index].checks = false;
    world.run(Duration::from_secs(60));
    assert!(!world.hub.is_empty());
}

#[test]
fn rfc3550_6_4_sender_reports_come_at_random_and_count_what_was_sent() {
    let mut world = World::new();
    let index = world.connect();
    world.run(Duration::from_secs(60));
    let listener = &world.listeners[index];
    assert!(
        (8..=26).contains(&listener.reports.len()),
        "{}",
        listener.reports.len()
    );
    let times: Vec<_> = listener.reports.iter().map(|(time, _)| *time).collect();
    let mut intervals: Vec<Duration> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(
        intervals
            .iter()
            .all(|i| (2480..7540).contains(&i.as_millis())),
        "{intervals:?}"
    );
    intervals.sort();
    assert!(intervals[0] + Duration::from_millis(100) < *intervals.last().unwrap());
    let (time, last) = listener.reports.last().unwrap();
    let Some(RtcpPacket::SenderReport { info, .. }) = RtcpReader::new(last).next() else {
        panic!("not a sender report");
    };
    let sent_since = (world.now - *time).as_millis() / 20;
    let total = listener.packets.len() as u128;
    assert!((total - sent_since).abs_diff(info.packet_count.into()) <= 1);
    assert_eq!(info.octet_count, info.packet_count * 4);
}

#[test]
fn rfc3550_6_4_1_report_names_the_rtp_time_of_its_own_instant() {
    let mut world = World::new();
    let index = world.connect();
    world.run(Duration::from_secs(30));
    let listener = &world.listeners[index];
    assert!(listener.reports.len() >= 3);
    for (time, report) in &listener.reports {
        let Some(RtcpPacket::SenderReport { info, .. }) = RtcpReader::new(report).next() else {
            panic!("not a sender report");
        };
        let later = listener
            .packet_times
            .partition_point(|packet| packet <= time);
        let packet = RtpPacket::parse(&listener.packets[later - 1]).unwrap();
        let since = time.duration_since(listener.packet_times[later - 1]);
        let ticks = since.as_millis() as u32 * 48;
        assert_eq!(info.rtp_timestamp, packet.timestamp().wrapping_add(ticks));
        let sent = Duration::from_secs(1_800_000_000) + time.duration_since(world.started);
        assert_eq!(info.ntp, NtpTime::from_unix(sent));
    }
}

#[test]
fn report_of_the_peer_reaches_the_counters() {
    let mut world = World::new();
    let index = world.connect();
    let ssrc = world.listeners[index].ssrc();
    let mut report = vec![0x81, 201, 0, 7, 0, 0, 0, 1];
    report.extend(ssrc.to_be_bytes());
    report.extend([64, 0, 0, 3]);
    report.extend([0; 4]);
    report.extend(480u32.to_be_bytes());
    report.extend([0; 8]);
    world.listeners[index].send_rtcp(&report);
    world.run(support::TICK);
    let counters = world.listeners[index].counters.snapshot();
    assert_eq!(counters.reports_received, 1);
    assert_eq!(counters.packets_lost, 3);
    assert_eq!((counters.fraction_lost, counters.jitter), (0.25, 480));
}

#[test]
fn taken_ufrag_fails_the_newcomer_alone() {
    let mut world = World::new();
    let index = world.connect();
    let mut twin = World::new();
    let other = twin.add(Role::Server);
    assert_eq!(index, other, "the same random bytes");
    let peer = twin_peer(&world);
    world.with_hub(|hub, io| hub.add(peer, io));
    assert!(
        world
            .events
            .contains(&(PeerId(99), PeerEvent::Failed(FailureReason::DuplicateUfrag)))
    );
    world.listeners[index].packets.clear();
    world.run(Duration::from_secs(1));
    assert!(world.listeners[index].packets.len() >= 49);
}

fn twin_peer(world: &World) -> skywave_peer::Peer {
    let random = [1; skywave_peer::LocalParameters::RANDOM_BYTES];
    let config = skywave_peer::PeerConfig {
        id: PeerId(99),
        local: skywave_peer::LocalParameters::from_random(random),
        identity: world.identity.clone(),
        counters: Default::default(),
        transport: Default::default(),
        limits: Default::default(),
    };
    skywave_peer::Peer::new(config, world.now)
}

#[test]
fn strangers_get_nothing_and_are_counted() {
    let mut world = World::new();
    let index = world.connect();
    let stranger = path(77, 0);
    let check = world.listeners[index].check(true);
    // USERNAME is the first attribute: our fragment of 8 bytes, a colon, the peer's.
    let (mut elsewhere, mut forged) = (check.clone(), check);
    elsewhere[25] ^= 1;
    forged[34] ^= 1;
    let guessed = world.listeners[index].check_with_password("a guess");
    let known = world.listeners[index].path;
    let cases: [(_, &[u8], _); 10] = [
        (stranger, &[], DropReason::UnknownProtocol),
        (stranger, &[255; 20], DropReason::UnknownProtocol),
        (stranger, &[0; 20], DropReason::MalformedStun),
        (stranger, &elsewhere, DropReason::UnknownUfrag),
        (stranger, &forged, DropReason::MalformedStun),
        (stranger, &guessed, DropReason::StunIntegrity),
        (stranger, &[22, 254, 253, 0], DropReason::DtlsFromStranger),
        (stranger, &[128, 111, 0, 1], DropReason::UnexpectedRtp),
        (stranger, &[128, 201, 0, 1], DropReason::RtcpFromStranger),
        (
            known,
            &[128, 201, 0, 1, 0, 0, 0, 1],
            DropReason::MalformedRtcp,
        ),
    ];
    for (path, datagram, reason) in cases {
        let before = world.hub.drops().count(reason);
        let mut datagram = datagram.to_vec();
        let mut events = Vec::new();
        let mut io = skywave_peer::Io {
            now: world.now,
            ntp: skywave_rtp::NtpTime(0),
            outbox: &mut world.outbox,
            events: &mut events,
        };
        world.hub.handle_datagram(path, &mut datagram, &mut io);
        assert_eq!(world.hub.drops().count(reason), before + 1, "{reason:?}");
        assert!(world.outbox.is_empty() && events.is_empty(), "{reason:?}");
    }
}

#[test]
fn forged_rtcp_from_a_known_address_is_dropped() {
    let mut world = World::new();
    let index = world.connect();
    let known = world.listeners[index].path;
    let mut forged = [0x80; 60];
    forged[1] = 201;
    world.receive(known, &forged);
    assert_eq!(world.hub.drops().count(DropReason::RtcpAuthentication), 1);
    assert!(world.is_connected(index) && !world.hub.is_empty());
}

#[test]
fn arbitrary_datagrams_harm_nobody() {
    let mut world = World::new();
    let index = world.connect();
    let (known, mut random) = (world.listeners[index].path, 1u64);
    for round in 0..20_000 {
        let mut next = || {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (random >> 33) as u8
        };
        let len = usize::from(next());
        let mut datagram: Vec<u8> = (0..len).map(|_| next()).collect();
        if let Some(first) = datagram.first_mut() {
            *first = [0, 1, 20, 22, 23, 63, 128, 144][round % 8];
        }
        world.receive(if round % 2 == 0 { known } else { path(90, 0) }, &datagram);
    }
    world.listeners[index].packets.clear();
    world.run(Duration::from_secs(1));
    assert!(world.listeners[index].packets.len() >= 49);
}
