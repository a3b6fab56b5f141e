//! The two halves of a job at the same time: one thread makes the items that another takes.

use std::sync::mpsc;
use std::thread;

/// The most items that may wait.
const QUEUE: usize = 8;

/// Makes items in a thread of its own, and hands them to `take` in their order. The first error ends both halves.
pub(super) fn ahead<T: Send, E>(
    mut items: impl Iterator<Item = T> + Send,
    take: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E> {
    thread::scope(|scope| {
        let (made, waiting) = mpsc::sync_channel(QUEUE);
        // Nobody waits for an item any more where `take` has failed.
        scope.spawn(move || items.try_for_each(|item| made.send(item)).is_ok());
        waiting.into_iter().try_for_each(take)
    })
}
