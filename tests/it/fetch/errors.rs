//! Each way in which a fetch fails has a name of its own, and a hint.

use super::*;

async fn failure(config: &FetchConfig, url: Url) -> rasid::source::PollError {
    let error = get_with(config, url).await.expect_err("an error").0;
    assert!(!error.hint.is_empty() && error.message.starts_with("http"), "{error:?}");
    error
}

#[tokio::test]
async fn failures_of_the_way_there_are_told_apart() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let refused = failure(&config(), format!("http://{free}/").parse().unwrap()).await;
    assert_eq!((refused.kind.as_str(), refused.severity), ("connection-refused", Severity::Temporary));
    let unknown = failure(&config(), "http://no-such-host.invalid/".parse().unwrap()).await;
    assert_eq!(unknown.kind, "dns");

    // A listener whose queue is full answers nobody any more.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let full = socket.listen(1).unwrap();
    let address = full.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(Ok(stream)) = tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(address)).await {
        waiting.push(stream);
    }
    let hasty = FetchConfig { timeout: Span(Duration::from_millis(400)), ..config() };
    let late = failure(&hasty, format!("http://{address}/").parse().unwrap()).await;
    assert_eq!((late.kind.as_str(), late.severity), ("connect-timeout", Severity::Temporary));
}

#[tokio::test]
async fn slow_answers_are_told_apart() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
    let trickle: Vec<Step> = std::iter::once(Send([&head[..], b"<rss>"].concat()))
        .chain((0..200).flat_map(|_| [Wait(20), Send(b"x".to_vec())]))
        .collect();
    let server = Server::start(vec![
        ("/silent", vec![Wait(5_000)]),
        ("/bodiless", vec![Send(head.to_vec()), Wait(5_000)]),
        ("/trickle", trickle),
    ])
    .await;
    let hasty = FetchConfig { timeout: Span(Duration::from_millis(300)), ..config() };
    let silent = failure(&hasty, server.url("/silent")).await;
    assert!(silent.kind == "timeout" && silent.message.contains("no answer within 300ms"), "{silent:?}");
    let bodiless = failure(&hasty, server.url("/bodiless")).await;
    assert!(bodiless.kind == "timeout" && bodiless.message.contains("nothing of the body"), "{bodiless:?}");
    let kept = document(get_with(&hasty, server.url("/trickle")).await);
    assert!(kept.bytes.starts_with(b"<rss>x") && kept.cut.unwrap().contains("no end within 300ms"));
}
