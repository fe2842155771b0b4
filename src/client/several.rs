//! Many jobs on a few threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Runs jobs `0..count` on at most `threads` threads, and returns the results in the order of the jobs. The first job
/// that fails stops the queue: jobs that have begun still end. A thread that panics loses its own results only.
pub fn run_jobs<T: Send, E: Send>(
    count: usize,
    threads: usize,
    job: impl Fn(usize) -> Result<T, E> + Sync,
) -> (Vec<T>, Option<E>) {
    let next = AtomicUsize::new(0);
    let is_over = AtomicBool::new(false);
    let failed = Mutex::new(None);
    let work = || {
        let mut done = Vec::new();
        while !is_over.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                break;
            }
            match job(number) {
                Ok(result) => done.push((number, result)),
                Err(error) => {
                    is_over.store(true, Ordering::Relaxed);
                    if let Ok(mut failed) = failed.lock() {
                        failed.get_or_insert(error);
                    }
                }
            }
        }
        done
    };
    let mut done = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads.min(count)).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        done.extend(
            others
                .into_iter()
                .flat_map(|thread| thread.join().unwrap_or_default()),
        );
        done
    });
    done.sort_unstable_by_key(|(number, _)| *number);
    let done = done.into_iter().map(|(_, result)| result).collect();
    (done, failed.into_inner().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_jobs() {
        let (done, failed) = run_jobs::<_, ()>(100, 4, |number| Ok(number * 2));
        assert_eq!(done, (0..100).map(|number| number * 2).collect::<Vec<_>>());
        assert_eq!(failed, None);
        assert_eq!(run_jobs::<(), ()>(0, 4, |_| Ok(())).0.len(), 0);
    }

    #[test]
    fn a_failure_stops_the_queue() {
        let (done, failed) = run_jobs(
            10,
            1,
            |number| if number == 3 { Err(number) } else { Ok(number) },
        );
        assert_eq!((done, failed), (vec![0, 1, 2], Some(3)));
    }
}
