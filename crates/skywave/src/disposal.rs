//! The thread on which sources are dropped: that runs the user's code, which may wait for a file
//! or a thread of its own, and no other track may have to wait with it.

use std::io;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use skywave_audio::discard;

/// The way to that thread. It ends when all clones are gone.
///
/// What takes for ever to be dropped stays there, with all that comes after it: the queue has no
/// limit, as it holds no more than was put in by hand.
#[derive(Clone)]
pub(crate) struct Disposal(Sender<Box<dyn Send>>);

impl Disposal {
    /// Starts the thread.
    pub(crate) fn start() -> io::Result<Self> {
        let (sender, queue) = channel();
        thread::Builder::new()
            .name("skywave-disposal".to_owned())
            .spawn(move || {
                for waste in queue {
                    discard(waste);
                }
            })?;
        Ok(Self(sender))
    }

    /// Has something dropped. If it panics at that, nobody else notices.
    pub(crate) fn dispose(&self, waste: impl Send + 'static) {
        // The thread lives as long as this; else it is dropped here.
        let _ = self.0.send(Box::new(waste));
    }
}
