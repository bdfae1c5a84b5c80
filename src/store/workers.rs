//! Several threads at many small things, each thread with tools of its own.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// More workers than cores: while the cache is cold they wait for the disk, and once it is warm they cost next to
/// nothing. Measured in docs/performance.md.
pub const USUAL: usize = 16;

/// Does something with each thing; a worker makes its tools once. Gives what was made, in no order.
pub fn each<T: Sync, W, R: Send>(
    things: &[T],
    workers: usize,
    tools: impl Fn() -> W + Sync,
    act: impl Fn(&mut W, usize, &T) -> Option<R> + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let gathered = Mutex::new(Vec::with_capacity(things.len()));
    let workers = workers.clamp(1, things.len().max(1));
    std::thread::scope(|scope| {
        let work = || {
            let mut tools = tools();
            let mut mine = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(thing) = things.get(number) else {
                    break;
                };
                mine.extend(act(&mut tools, number, thing));
            }
            if let Ok(mut gathered) = gathered.lock() {
                gathered.append(&mut mine);
            }
        };
        for _ in 1..workers {
            // Fewer threads than wished is slower, not wrong.
            let _ = std::thread::Builder::new()
                .stack_size(512 << 10)
                .spawn_scoped(scope, work);
        }
        work();
    });
    gathered.into_inner().unwrap_or_default()
}
