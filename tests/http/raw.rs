//! Requests byte by byte, and the statuses that each must get.

use super::daemon::Daemon;
use super::wire::{Wire, answers};

const OK: &str = "Host: localhost\r\n";

#[rustfmt::skip] // One request a line: this is a table.
/// What is sent, and the statuses of the answers until the listener closes. After each the client shuts its side.
fn table() -> Vec<(&'static str, Vec<u8>, &'static [u16])> {
    let mut table: Vec<(&'static str, Vec<u8>, &'static [u16])> = Vec::new();
    let mut row = |what, sent: &str, wanted| table.push((what, sent.as_bytes().to_vec(), wanted));
    let get = |more: &str| format!("GET /health HTTP/1.1\r\n{more}\r\n");
    let post = |more: &str, body: &str| {
        format!("POST /heartbeat/a HTTP/1.1\r\nHost: localhost\r\n{more}\r\n{body}")
    };

    row("a plain look", &get(OK), &[200]);
    row("a plain beat", &post("Content-Length: 2\r\n", "{}"), &[200]);
    row("a beat of curl -d", &post("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 2\r\n", "{}"), &[200]);
    row("a beat without a body", &post("", ""), &[200]);

    row("no Host", &get(""), &[400]);
    row("two Hosts", &get("Host: localhost\r\nHost: evil.example\r\n"), &[400]);
    row("the same Host twice", &get("Host: localhost\r\nHost: localhost\r\n"), &[400]);
    row("an empty Host", &get("Host:\r\n"), &[400]);
    row("a foreign Host", &get("Host: evil.example\r\n"), &[421]);
    row("a Host that begins well", &get("Host: localhost.evil.example\r\n"), &[421]);
    row("a Host with a user", &get("Host: localhost@evil.example\r\n"), &[400]);
    row("a Host with a path", &get("Host: localhost/x\r\n"), &[400]);
    row("two hosts in one Host", &get("Host: localhost, evil.example\r\n"), &[400]);
    row("a Host with another port", &get("Host: LOCALHOST:9\r\n"), &[200]);
    row("the loopback address", &get("Host: 127.0.0.1:8080\r\n"), &[200]);
    row("the loopback address of IPv6", &get("Host: [::1]:8080\r\n"), &[200]);
    row("a Host with a port that is none", &get("Host: localhost:http\r\n"), &[400]);
    row("a whole address of this host", "GET http://localhost:8080/health HTTP/1.1\r\nHost: localhost:8080\r\n\r\n", &[200]);
    row("a whole address of another host than Host", "GET http://evil.example/health HTTP/1.1\r\nHost: localhost\r\n\r\n", &[400]);
    row("a whole address of a foreign host", "GET http://evil.example/health HTTP/1.1\r\nHost: evil.example\r\n\r\n", &[421]);

    row("the page's own Origin", &get("Host: localhost:8080\r\nOrigin: http://localhost:8080\r\n"), &[200]);
    row("an Origin of another port", &get("Host: localhost:8080\r\nOrigin: http://localhost:8081\r\n"), &[403]);
    row("a foreign Origin", &get("Host: localhost\r\nOrigin: https://evil.example\r\n"), &[403]);
    row("an Origin that hides", &get("Host: localhost\r\nOrigin: null\r\n"), &[403]);
    row("two Origins", &get("Host: localhost\r\nOrigin: http://localhost\r\nOrigin: http://localhost\r\n"), &[403]);

    row("HTTP/1.0", "GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n", &[200]);
    row("HTTP/1.0 without a Host", "GET /health HTTP/1.0\r\n\r\n", &[400]);
    row("HTTP/1.0 closes", "GET /health HTTP/1.0\r\nHost: localhost\r\n\r\nGET /health HTTP/1.0\r\nHost: localhost\r\n\r\n", &[200]);
    row("HTTP/1.0 kept alive", "GET /health HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\nGET /health HTTP/1.0\r\nHost: localhost\r\n\r\n", &[200, 200]);
    row("HTTP/0.9", "GET /health\r\n", &[400]);
    row("HTTP/1.2", "GET /health HTTP/1.2\r\nHost: localhost\r\n\r\n", &[400]);
    row("HTTP/2 at once", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", &[400]);
    row("HTTP/2 by upgrade", &get("Host: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"), &[200]);
    row("a hello of TLS", "\x16\x03\x01\x02\x00\x01\x00\x01", &[400]);
    row("bare line feeds", "GET /health HTTP/1.1\nHost: localhost\n\n", &[200]);
    row("bare line feeds and a body", "POST /heartbeat/a HTTP/1.1\nHost: localhost\nContent-Length: 2\n\n{}", &[200]);
    row("empty lines before", &format!("\r\n\r\n{}", get(OK)), &[200]);
    row("nothing", "", &[]);
    row("empty lines only", "\r\n\r\n", &[]);
    row("half a head", "GET /health HTTP/1.1\r\nHost: loc", &[]);
    row("noise", "?? !! ..\r\n\r\n", &[400]);
    row("a bare carriage return in a value", &get("Host: localhost\r\nA: b\rc\r\n"), &[400]);
    row("NUL in a value", &get("Host: localhost\r\nA: b\0c\r\n"), &[400]);
    row("a header without a colon", &get("Host: localhost\r\nnothing\r\n"), &[400]);
    row("a space in a name", &get("Host: localhost\r\nA b: c\r\n"), &[400]);
    row("a header that is folded", &get("Host: localhost\r\nA: b\r\n c\r\n"), &[400]);
    row("a header that begins with a space", &get(" A: b\r\nHost: localhost\r\n"), &[400]);
    row("two spaces in the first line", "GET  /health HTTP/1.1\r\nHost: localhost\r\n\r\n", &[400]);
    row("a space in the path", "GET /health now HTTP/1.1\r\nHost: localhost\r\n\r\n", &[400]);

    row("a length with a plus", &post("Content-Length: +2\r\n", "{}"), &[400]);
    row("a length below nothing", &post("Content-Length: -2\r\n", "{}"), &[400]);
    row("a length in hex", &post("Content-Length: 0x2\r\n", "{}"), &[400]);
    row("an empty length", &post("Content-Length:\r\n", "{}"), &[400]);
    row("a list of lengths", &post("Content-Length: 2, 2\r\n", "{}"), &[400]);
    row("a length beyond 64 bits", &post("Content-Length: 18446744073709551616\r\n", "{}"), &[400]);
    row("two lengths that differ", &post("Content-Length: 2\r\nContent-Length: 3\r\n", "{}"), &[400]);
    row("the same length twice", &post("Content-Length: 2\r\nContent-Length: 2\r\n", "{}"), &[200]);
    row("a space before the colon", &post("Content-Length : 2\r\n", "{}"), &[400]);
    row("a body that ends early", &post("Content-Length: 20\r\n", "{}"), &[400]);

    let chunks = "2\r\n{}\r\n0\r\n\r\n";
    row("chunks", &post("Transfer-Encoding: chunked\r\n", chunks), &[200]);
    row("chunks with extensions and trailers", &post("Transfer-Encoding: Chunked\r\n", "2;a=b\r\n{}\r\n0\r\nA: b\r\n\r\n"), &[200]);
    row("after chunks the connection closes", &format!("{}{}", post("Transfer-Encoding: chunked\r\n", chunks), get(OK)), &[200]);
    row("a length and chunks", &post("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", chunks), &[400]);
    row("chunks and a length", &post("Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", chunks), &[400]);
    row("chunks and a length, spelled otherwise", &post("tRANSFER-eNCODING:\tchunked\r\nA: b\r\ncONTENT-lENGTH:0\r\n", chunks), &[400]);
    row("a length of the message before is not this one's", &format!("{}{}", post("Content-Length: 2\r\n", "{}"), post("Transfer-Encoding: chunked\r\n", chunks)), &[200, 200]);
    row("chunks with a space before the colon", &post("Transfer-Encoding : chunked\r\n", chunks), &[400]);
    row("chunks, folded", &post("Transfer-Encoding:\r\n chunked\r\n", chunks), &[400]);
    row("chunks in HTTP/1.0", "POST /heartbeat/a HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", &[400]);
    row("an encoding that is not the last", &post("Transfer-Encoding: chunked, gzip\r\n", chunks), &[400]);
    row("an encoding before chunks", &post("Transfer-Encoding: gzip, chunked\r\n", chunks), &[501]);
    row("chunked twice", &post("Transfer-Encoding: chunked, chunked\r\n", chunks), &[400]);
    row("something like chunked", &post("Transfer-Encoding: xchunked\r\n", chunks), &[400]);
    row("a size of a chunk that is none", &post("Transfer-Encoding: chunked\r\n", "zz\r\n{}\r\n0\r\n\r\n"), &[400]);
    row("a size of a chunk that is too large to be", &post("Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\n{}\r\n"), &[400]);
    row("a size of a chunk with a sign", &post("Transfer-Encoding: chunked\r\n", "+2\r\n{}\r\n0\r\n\r\n"), &[400]);

    let large = |length: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(length - 8));
    row("the largest body", &post("Content-Length: 65536\r\n", &large(65536)), &[200]);
    row("a body that is too large", &post("Content-Length: 65537\r\n", &large(65537)), &[413]);
    row("a promise that is too large", &post("Content-Length: 1000000000\r\n", ""), &[413]);
    row("chunks that are too large", &post("Transfer-Encoding: chunked\r\n", &format!("10001\r\n{}\r\n0\r\n\r\n", large(65537))), &[413]);
    row("the largest head", &get(&format!("{OK}A: {}\r\n", "x".repeat(8192 - 46))), &[200]);
    row("a head that is too large", &get(&format!("{OK}A: {}\r\n", "x".repeat(8192 - 45))), &[431]);
    row("a head that does not end", &get(&format!("{OK}A: {}", "x".repeat(20_000))), &[431]);
    row("too many headers", &get(&format!("{OK}{}", "A: b\r\n".repeat(100))), &[431]);
    row("a path that is too long", &format!("GET /{} HTTP/1.1\r\n{OK}\r\n", "x".repeat(9000)), &[431]);

    row("two at once", &get(OK).repeat(2), &[200, 200]);
    row("a hundred at once", &get(OK).repeat(100), &[200; 100]);
    row("a beat and a look at once", &format!("{}{}", post("Content-Length: 2\r\n", "{}"), get(OK)), &[200, 200]);
    row("a line end behind a body", &format!("{}\r\n{}", post("Content-Length: 2\r\n", "{}"), get(OK)), &[200, 200]);
    row("a refusal keeps the connection", &format!("GET /no HTTP/1.1\r\n{OK}\r\n{}", get(OK)), &[404, 200]);
    row("good and bad at once", &format!("{}{}", get(OK), get("Host: localhost\r\nA b: c\r\n")), &[200, 400]);
    row("nothing after close", &format!("{}{}", get("Host: localhost\r\nConnection: close\r\n"), get(OK)), &[200]);
    row("a refused body closes", &format!("{}{}", post("Content-Length: 70000\r\n", &"x".repeat(70_000)), get(OK)), &[413]);
    row("a foreign host with a body closes", &format!("POST /heartbeat/a HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 2\r\n\r\n{{}}{}", get(OK)), &[421]);

    row("wait for the word", &post("Expect: 100-continue\r\nContent-Length: 2\r\n", "{}"), &[100, 200]);
    row("wait for the word with too much", &post("Expect: 100-continue\r\nContent-Length: 70000\r\n", ""), &[413]);
    row("wait for the word from a foreign host", "POST /heartbeat/a HTTP/1.1\r\nHost: evil.example\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", &[421]);
    row("expect something else", &post("Expect: miracles\r\nContent-Length: 2\r\n", "{}"), &[200]);

    row("another method", &format!("DELETE /health HTTP/1.1\r\n{OK}\r\n"), &[405]);
    row("a method that no route has", &format!("PATCH /health HTTP/1.1\r\n{OK}\r\n"), &[405]);
    row("TRACE", &format!("TRACE /health HTTP/1.1\r\n{OK}\r\n"), &[405]);
    row("CONNECT", &format!("CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n{}", get(OK)), &[404]);
    row("OPTIONS *", &format!("OPTIONS * HTTP/1.1\r\n{OK}\r\n"), &[404]);
    row("an unknown method", &format!("BREW /health HTTP/1.1\r\n{OK}\r\n"), &[501]);
    row("a method in lower case", &format!("get /health HTTP/1.1\r\n{OK}\r\n"), &[501]);
    row("no such path", &format!("GET /nothing HTTP/1.1\r\n{OK}\r\n"), &[404]);
    row("a path with wrong hex", &format!("GET /health%zz HTTP/1.1\r\n{OK}\r\n"), &[400]);
    row("a path with NUL", &format!("GET /health%00 HTTP/1.1\r\n{OK}\r\n"), &[400]);
    row("a path that is not UTF-8", &format!("GET /health%ff HTTP/1.1\r\n{OK}\r\n"), &[400]);
    row("an encoded path", &format!("GET /%68ealth?a=b HTTP/1.1\r\n{OK}\r\n"), &[200]);

    row("a body that is no JSON", &post("Content-Length: 3\r\n", "abc"), &[400]);
    row("a body nested 32 deep", &post("Content-Length: 68\r\n", &format!("{{\"a\":{}{}}}", "[".repeat(31), "]".repeat(31))), &[200]);
    row("a body nested 33 deep", &post("Content-Length: 70\r\n", &format!("{{\"a\":{}{}}}", "[".repeat(32), "]".repeat(32))), &[400]);
    row("two content types", &post("Content-Type: text/plain\r\nContent-Type: application/json\r\nContent-Length: 2\r\n", "{}"), &[400]);
    row("two authorizations", &get("Host: localhost\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n"), &[400]);
    let raw = post("Content-Length: 4\r\n", "\"").into_bytes();
    table.push(("a body that is not UTF-8", [raw.as_slice(), b"\xc3\x28\""].concat(), &[400]));
    let raw = b"GET /health HTTP/1.1\r\nHost: localhost\r\nA: \xff\xfe\r\n\r\n".to_vec();
    table.push(("a value that is not UTF-8", raw, &[200]));
    table
}

#[test]
fn each_raw_request_gets_its_status() {
    let daemon = Daemon::start();
    let table = table();
    assert!(table.len() > 40);
    let mut wrong = Vec::new();
    for (what, sent, wanted) in table {
        // In one piece, and byte by byte as far as that says anything: what is small.
        let pieces = [sent.len().max(1), 1];
        for piece in pieces
            .into_iter()
            .filter(|piece| *piece > 1 || sent.len() < 300)
        {
            let mut wire = Wire::call(daemon.address());
            for piece in sent.chunks(piece) {
                wire.send(piece);
            }
            wire.shut();
            let said = wire.rest();
            let got = answers(&said);
            if got != wanted {
                wrong.push(format!(
                    "{what}, in pieces of {piece}: {got:?}, not {wanted:?}: {said}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
