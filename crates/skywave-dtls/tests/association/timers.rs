//! What `next_timeout` asks for.

use std::time::Duration;

use crate::link::{Link, VERSIONS};

#[test]
fn damaged_flight_causes_no_storm() {
    // A client of version 1.3 acknowledges gaps; its engine asks for ever to do it now.
    for seed in 1..=40 {
        let mut link = Link::new().with_loss(0, seed);
        link.start();
        link.step();
        let damage = link.random() as usize;
        for (_, _, datagram) in &mut link.wire {
            let at = 300 + damage % (datagram.len() - 300);
            datagram[at] ^= 0x10;
        }
        let end = link.now + Duration::from_secs(40);
        let mut before = link.client.next_timeout();
        while link.now < end && link.step() {
            let due = link.client.next_timeout();
            if let Some(due) = due.filter(|_| due != before) {
                assert!(due >= link.now + Duration::from_millis(10), "seed {seed}");
            }
            before = due;
        }
        assert!(link.sent < 200, "{} datagrams with seed {seed}", link.sent);
    }
}

#[test]
fn early_call_does_nothing() {
    let mut link = Link::new();
    link.start();
    let due = link.client.next_timeout().unwrap();
    let mut sent = 0;
    let early = due - Duration::from_millis(1);
    assert_eq!(
        link.client.handle_timeout(early, &mut |_| sent += 1),
        Ok(None)
    );
    assert_eq!((sent, link.client.next_timeout()), (0, Some(due)));
    assert_eq!(
        link.client.handle_timeout(due, &mut |_| sent += 1),
        Ok(None)
    );
    assert_eq!(sent, 1);
}

#[test]
fn connected_association_asks_for_nothing() {
    for (client, server) in VERSIONS {
        let mut link = Link::with_versions(client, server);
        assert!(link.connects());
        assert_eq!(link.client.next_timeout(), None);
        assert_eq!(link.server.next_timeout(), None);
    }
}
