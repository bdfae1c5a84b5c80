//! What they cost the others.

use super::*;

type Heard = mpsc::Receiver<Report<usize>>;

fn pool(threads: Threads) -> (Pool<usize>, Heard) {
    let (send, heard) = mpsc::channel();
    let pool = Pool::start(threads, move |report| drop(send.send(report))).unwrap();
    (pool, heard)
}

fn question(key: usize, gateway: &Gateway, patience: Duration) -> Question<usize> {
    Question {
        key,
        target: gateway.target(),
        expected: Expected::default(),
        patience,
    }
}

fn next(heard: &Heard) -> Report<usize> {
    heard.recv_timeout(LONG).unwrap()
}

#[test]
fn gateways_that_hang_do_not_delay_the_others() {
    // More than the usual number of threads hang, for longer than the test may take.
    let hanging: Vec<Gateway> = (0..12)
        .map(|_| Gateway::that(|stream, _| drop(stream.read(&mut [0]))))
        .collect();
    let well = Gateway::saying(ok(""));
    let (pool, heard) = pool(Threads::default());
    pool.ask(
        hanging
            .iter()
            .map(|gateway| question(1, gateway, LONG * 10)),
    );
    pool.ask([question(2, &well, LONG)]);
    let report = next(&heard);
    assert_eq!((report.key, report.answer), (2, Ok(Answer::Good)));
}

#[test]
fn however_many_hang_those_that_answer_are_asked_at_once() {
    let hanging: Vec<Gateway> = (0..6)
        .map(|_| Gateway::that(|stream, _| drop(stream.read(&mut [0]))))
        .collect();
    let well = Gateway::saying(ok(""));
    let (pool, heard) = pool(Threads { usual: 1, most: 3 });
    let ask_all = |patience| {
        pool.ask(
            hanging
                .iter()
                .enumerate()
                .map(|(at, gateway)| question(at, gateway, patience)),
        );
    };
    // Once they have hung they stand in a line of their own.
    ask_all(Duration::from_millis(50));
    for _ in &hanging {
        assert_eq!(next(&heard).answer, failed("no answer within 50 ms"));
    }
    ask_all(LONG * 10);
    pool.ask([question(9, &well, LONG)]);
    let report = next(&heard);
    assert_eq!((report.key, report.answer), (9, Ok(Answer::Good)));
}

#[test]
fn agents_that_share_a_gateway_are_asked_about_once() {
    let (open, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let gateway = Gateway::that(move |stream, _| {
        let _ = gate.lock().unwrap().recv_timeout(LONG);
        let _ = stream.write_all(&ok(r#"{"pid": 7}"#));
    });
    let (pool, heard) = pool(Threads::default());
    let mut questions: Vec<_> = (0..50).map(|key| question(key, &gateway, LONG)).collect();
    questions[3].expected.pid = Some(8);
    pool.ask(questions);
    while gateway.calls.load(Ordering::SeqCst) == 0 {
        std::thread::yield_now();
    }
    // A second round while the first is at it: it is asked once more, after that, for all of them.
    pool.ask((0..50).map(|key| question(key, &gateway, LONG)));
    pool.ask((0..50).map(|key| question(key, &gateway, LONG)));
    assert_eq!(gateway.calls.load(Ordering::SeqCst), 1);
    open.send(()).unwrap();
    let mut first: Vec<_> = (0..50).map(|_| next(&heard)).collect();
    first.sort_by_key(|report| report.key);
    for (key, report) in first.into_iter().enumerate() {
        let other = failed("another gateway answers: its pid is 7, not 8");
        let wanted = if key == 3 { other } else { Ok(Answer::Good) };
        assert_eq!((report.key, report.answer), (key, wanted));
    }
    open.send(()).unwrap();
    for _ in 0..50 {
        assert_eq!(next(&heard).answer, Ok(Answer::Good));
    }
    assert_eq!(gateway.calls.load(Ordering::SeqCst), 2);
    assert!(heard.try_recv().is_err());
}

#[test]
fn who_hears_may_panic_and_the_pool_goes_on() {
    let well = Gateway::saying(ok(""));
    let (send, heard) = mpsc::channel();
    let pool = Pool::start(
        Threads { usual: 1, most: 1 },
        move |report: Report<usize>| {
            assert!(report.key != 0, "a listener with a fault");
            drop(send.send(report));
        },
    )
    .unwrap();
    pool.ask([question(0, &well, LONG), question(1, &well, LONG)]);
    assert_eq!(next(&heard).key, 1);
    pool.ask([question(0, &well, LONG)]);
    pool.ask([question(2, &well, LONG)]);
    assert_eq!(next(&heard).key, 2);
}

#[test]
fn its_threads_end_with_the_pool() {
    let well = Gateway::saying(ok(""));
    let alive = Arc::new(());
    let witness = Arc::downgrade(&alive);
    let (send, heard) = mpsc::channel();
    let pool = Pool::start(Threads::default(), move |report: Report<usize>| {
        let _held = &alive;
        drop(send.send(report));
    })
    .unwrap();
    pool.ask((0..3).map(|key| question(key, &well, LONG)));
    for _ in 0..3 {
        next(&heard);
    }
    drop(pool);
    let until = Instant::now() + LONG;
    while witness.upgrade().is_some() {
        assert!(Instant::now() < until, "threads of a pool that is gone");
        std::thread::yield_now();
    }
}
