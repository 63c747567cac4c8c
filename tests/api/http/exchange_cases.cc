#include "tests/api/http/exchange_cases.h"

#include <cstddef>
#include <tuple>
#include <utility>

namespace triggerd::api {

const char* const kSmuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

namespace {

using After = ExchangeCase::After;
using Cases = std::vector<ExchangeCase>;

// A text that holds NUL.
template <std::size_t N>
std::string raw(const char (&text)[N]) {
  return std::string(text, N - 1);
}

void refused(Cases& cases, std::string name, const std::string& bytes, int status) {
  cases.push_back({std::move(name), bytes + kSmuggled, {status}, After::kClosed});
}
void alive(Cases& cases, std::string name, std::string bytes, std::vector<int> statuses = {200}) {
  cases.push_back({std::move(name), std::move(bytes), std::move(statuses), After::kAlive});
}
void closes(Cases& cases, std::string name, const std::string& bytes, std::vector<int> statuses) {
  cases.push_back({std::move(name), bytes + kSmuggled, std::move(statuses), After::kClosed});
}

std::string post(const std::string& fields, const std::string& body) {
  return "POST /x HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body;
}
std::string get(const std::string& fields) {
  return "GET /x HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

void add_content_length(Cases& cases) {
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"plus", "+7"},
      {"minus", "-7"},
      {"minus zero", "-0"},
      {"hex", "0x7"},
      {"octal", "0o7"},
      {"underscore", "1_0"},
      {"spaces", "1 0"},
      {"letters", "abc"},
      {"fraction", "7.0"},
      {"exponent", "7e0"},
      {"list", "7, 8"},
      {"equal list", "7, 7"},
      {"empty", ""},
      {"quoted", "\"7\""},
      {"parameter", "7;a=b"},
      {"VT", "\v7"},
      {"FF", "7\f"},
      {"no-break space", "7\xa0"},
      {"NUL", raw("7\0")},
      {"leading zero", "07"},
      {"zeros", "00"},
      {"005", "005"},
      {"suffix", "7a"},
      {"DEL", "7\x7f"},
      {"trailing comma", "7,"},
      {"minus one", "-1"},
      {"wide digit", "\xef\xbc\x97"},
  };
  for (const auto& [name, value] : bad) {
    refused(cases, "CL " + name, post("Content-Length: " + value + "\r\n", "abcdefg"), 400);
  }
  refused(cases, "CL 2^64+7", post("Content-Length: 18446744073709551623\r\n", "abcdefg"), 413);
  refused(cases, "CL 2^128",
          post("Content-Length: 340282366920938463463374607431768211456\r\n", ""), 413);
  refused(cases, "CL twice equal", post("Content-Length: 7\r\nContent-Length: 7\r\n", "abcdefg"),
          400);
  refused(cases, "CL twice different",
          post("Content-Length: 7\r\nContent-Length: 0\r\n", "abcdefg"), 400);
  refused(cases, "CL space before colon", post("Content-Length : 7\r\n", "abcdefg"), 400);
  refused(cases, "CL tab before colon", post("Content-Length\t: 7\r\n", "abcdefg"), 400);
  refused(cases, "CL underscore name", post("Content_Length: 7\r\n", "abcdefg"), 400);
  refused(cases, "CL folded", post("Content-Length:\r\n 7\r\n", "abcdefg"), 400);
  refused(cases, "CL second line folded", post("Content-Length: 7\r\n 8\r\n", "abcdefg"), 400);
  alive(cases, "CL good", post("Content-Length: 7\r\n", "abcdefg"));
  alive(cases, "CL zero", post("Content-Length: 0\r\n", ""));
  alive(cases, "CL blanks around", post("Content-Length:  7 \r\n", "abcdefg"));
  alive(cases, "CL tabs around (llhttp 810)", post("Content-Length: \t7\t\r\n", "abcdefg"));
  alive(cases, "CL no blank", post("content-length:7\r\n", "abcdefg"));
  alive(cases, "CL body looks like a request",
        post("Content-Length: 37\r\n", "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n.."));
}

void add_transfer_encoding(Cases& cases) {
  const std::string body = "0\r\n\r\n";
  const std::vector<std::tuple<std::string, std::string, int>> bad = {
      {"xchunked", "xchunked", 501},
      {"identity", "identity", 501},
      {"chunked, identity", "chunked, identity", 400},
      {"chunked, chunked", "chunked, chunked", 400},
      {"gzip", "gzip", 501},
      {"gzip, chunked", "gzip, chunked", 501},
      {"chunked, gzip", "chunked, gzip", 400},
      {"empty", "", 400},
      {"quoted", "\"chunked\"", 400},
      {"parameter", "chunked;q=1", 400},
      {"VT", "\vchunked", 400},
      {"FF", "chunked\f", 400},
      {"NUL", raw("chunked\0"), 400},
      {"suffix", "chunkedx", 501},
      {"no-break space", "chunked\xa0", 400},
      {"leading semicolon", ";chunked", 400},
      {"encoded word", "=?iso-8859-1?B?Y2h1bmtlZA==?=", 400},
      {"leading comma", ", chunked", 400},
      {"two words", "chunked chunked", 400},
      {"hidden by CR", "\rchunked", 400},
      {"hidden by LF", "\nchunked", 400},
  };
  for (const auto& [name, value, status] : bad) {
    refused(cases, "TE " + name, post("Transfer-Encoding: " + value + "\r\n", body), status);
  }
  refused(cases, "TE then CL", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", body),
          400);
  refused(cases, "CL then TE", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", body),
          400);
  refused(cases, "TE with CL 0", post("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", body),
          400);
  refused(cases, "TE twice",
          post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", body), 400);
  refused(cases, "TE chunked and identity",
          post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", body), 400);
  refused(cases, "TE space before colon", post("Transfer-Encoding : chunked\r\n", body), 400);
  refused(cases, "TE tab before colon", post("Transfer-Encoding\t: chunked\r\n", body), 400);
  refused(cases, "TE leading space", post(" Transfer-Encoding: chunked\r\n", body), 400);
  refused(cases, "TE folded", post("Transfer-Encoding:\r\n chunked\r\n", body), 400);
  refused(cases, "TE folded by tab", post("Transfer-Encoding: \r\n\tchunked\r\n", body), 400);
  refused(cases, "TE underscore name", post("Transfer_Encoding: chunked\r\n", body), 400);
  refused(cases, "TE on HTTP/1.0",
          "POST /x HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body, 400);
  refused(cases, "TE hidden behind CR in a field",
          post("X-Abc: \rxTransfer-Encoding: chunked\r\n", "1\r\nA\r\n0\r\n\r\n"), 400);
  refused(cases, "TE hidden behind NUL", post(raw("X: a\0Transfer-Encoding: chunked\r\n"), body),
          400);
  refused(cases, "TE hidden behind LF", post("X: a\nTransfer-Encoding: chunked\r\n", body), 400);
  alive(cases, "TE good", post("Transfer-Encoding: chunked\r\n", body));
  alive(cases, "TE upper case", post("TRANSFER-ENCODING: CHUNKED\r\n", body));
  alive(cases, "TE tabs around", post("Transfer-Encoding:\tchunked\t\r\n", body));
  alive(cases, "TE on GET",
        "GET /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body);
}

void add_chunks(Cases& cases) {
  const auto chunked = [](const std::string& body) {
    return post("Transfer-Encoding: chunked\r\n", body);
  };
  const std::string end = "0\r\n\r\n";
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"size plus", "+1\r\na\r\n" + end},
      {"size minus", "-1\r\na\r\n" + end},
      {"size 0x", "0x1\r\na\r\n" + end},
      {"size underscore", "1_0\r\na\r\n" + end},
      {"size empty", "\r\na\r\n" + end},
      {"size leading space", " 1\r\na\r\n" + end},
      {"size trailing space", "1 \r\na\r\n" + end},
      {"size trailing tab", "1\t\r\na\r\n" + end},
      {"size g", "g\r\na\r\n" + end},
      {"size 2^64+7", "10000000000000007\r\nabcdefg\r\n" + end},
      {"size 17 f", "fffffffffffffffff\r\na\r\n" + end},
      {"size LF", "1\na\r\n" + end},
      {"size CR x", "1\rxa\r\n" + end},
      {"size only an extension", ";a=b\r\na\r\n" + end},
      {"data end LF", "1\r\na\n" + end},
      {"data end none", "1\r\na" + end},
      {"data end junk", "1\r\naXX" + end},
      {"data end CR x", "1\r\na\rx" + end},
      {"data end x LF", "1\r\nax\n" + end},
      {"data spill", "1\r\nabc\r\n" + end},
      {"extension LF", "1;a\nb\r\na\r\n" + end},
      {"extension CR", "1;a\rb\r\na\r\n" + end},
      {"extension NUL", raw("1;a\0b\r\na\r\n") + end},
      {"extension 64K", "1;" + std::string(65536, 'e') + "\r\na\r\n" + end},
      {"last chunk LF", "0\n\r\n"},
      {"last chunk CR x", "0\rx\r\n"},
      {"end LF", "0\r\n\n"},
      {"end CR x", "0\r\n\rx"},
      {"trailer bare LF", "0\r\nX: a\n\r\n"},
      {"trailer NUL", raw("0\r\nX: \0\r\n\r\n")},
      {"trailer no colon", "0\r\nXab\r\n\r\n"},
      {"trailer empty name", "0\r\n: a\r\n\r\n"},
      {"trailer space before colon", "0\r\nX : a\r\n\r\n"},
      {"trailer folded", "0\r\nX: a\r\n b\r\n\r\n"},
      {"trailer CR", "0\r\nX: a\rb\r\n\r\n"},
  };
  for (const auto& [name, body] : bad) refused(cases, "chunk " + name, chunked(body), 400);
  refused(cases, "chunk trailer 64K", chunked("0\r\nX: " + std::string(65536, 't') + "\r\n\r\n"),
          431);
  std::string many;
  for (int i = 0; i < 20'000; ++i) many += "X: a\r\n";
  refused(cases, "chunk 20000 trailers", chunked("0\r\n" + many + "\r\n"), 431);
  std::string extensions;
  for (int i = 0; i < 10; ++i) extensions += "1;" + std::string(500, 'e') + "\r\na\r\n";
  refused(cases, "chunk extensions summed up", chunked(extensions + end), 400);
  refused(cases, "chunk over the body limit", chunked("401\r\n" + std::string(1025, 'a')), 413);
  refused(cases, "chunks over the body limit",
          chunked("400\r\n" + std::string(1024, 'a') + "\r\n1\r\na\r\n"), 413);
  alive(cases, "chunk upper-case hex", chunked("A\r\n0123456789\r\n" + end));
  alive(cases, "chunk leading zeros", chunked("0001\r\na\r\n000\r\n\r\n"));
  alive(cases, "chunk several", chunked("1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n" + end));
  alive(cases, "chunk extension", chunked("1;name=value\r\na\r\n" + end));
  alive(cases, "chunk quoted extension", chunked("1; a=\"b c\"\r\na\r\n0;last\r\n\r\n"));
  alive(cases, "chunk trailer", chunked("1\r\na\r\n0\r\nX: a\r\nY: b\r\n\r\n"));
  alive(cases, "chunk trailer that frames is dropped",
        chunked("0\r\nContent-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n"));
  alive(cases, "chunk at the body limit",
        chunked("400\r\n" + std::string(1024, 'a') + "\r\n" + end));
}

void add_request_line(Cases& cases) {
  const std::string rest = "\r\nHost: a\r\n\r\n";
  const std::vector<std::tuple<std::string, std::string, int>> bad = {
      {"HTTP/0.9", "GET /x HTTP/0.9", 505},
      {"HTTP/1.2", "GET /x HTTP/1.2", 505},
      {"HTTP/2.0", "GET /x HTTP/2.0", 505},
      {"HTTP/9.9", "GET /x HTTP/9.9", 505},
      {"no version", "GET /x", 400},
      {"HTTP/1", "GET /x HTTP/1", 400},
      {"HTTP/11.1", "GET /x HTTP/11.1", 400},
      {"HTTP/1.10", "GET /x HTTP/1.10", 400},
      {"HTTP/1,1", "GET /x HTTP/1,1", 400},
      {"http/1.1", "GET /x http/1.1", 400},
      {"HTTP 1.1", "GET /x HTTP 1.1", 400},
      {"RTSP", "GET /x RTSP/1.0", 400},
      {"ICE", "SOURCE /x ICE/1.0", 400},
      {"version suffix", "GET /x HTTP/1.1x", 400},
      {"trailing space", "GET /x HTTP/1.1 ", 400},
      {"leading space", " GET /x HTTP/1.1", 400},
      {"two spaces behind method", "GET  /x HTTP/1.1", 400},
      {"two spaces behind target", "GET /x  HTTP/1.1", 400},
      {"tab behind method", "GET\t/x HTTP/1.1", 400},
      {"tab behind target", "GET /x\tHTTP/1.1", 400},
      {"space in target", "GET /x y HTTP/1.1", 400},
      {"no target", "GET HTTP/1.1", 400},
      {"empty target", "GET  HTTP/1.1", 400},
      {"lower-case method", "get /x HTTP/1.1", 501},
      {"unknown method", "FROB /x HTTP/1.1", 501},
      {"CONNECT", "CONNECT a:443 HTTP/1.1", 501},
      {"SOURCE", "SOURCE /x HTTP/1.1", 501},
      {"method no token", "G@T /x HTTP/1.1", 400},
      {"method quoted", "\"GET\" /x HTTP/1.1", 400},
      {"NUL in method", raw("G\0T /x HTTP/1.1"), 400},
      {"NUL in target", raw("GET /\0 HTTP/1.1"), 400},
      {"DEL in target", "GET /\x7f HTTP/1.1", 400},
      {"VT in target", "GET /\v HTTP/1.1", 400},
      {"UTF-8 in target", "GET /\xc3\xa9 HTTP/1.1", 400},
      {"no-break space in target", "GET /\xa0 HTTP/1.1", 400},
      {"fragment", "GET /x#y HTTP/1.1", 400},
      {"backslash", "GET /x\\y HTTP/1.1", 400},
      {"backslash first", "GET \\x HTTP/1.1", 400},
      {"relative target", "GET x HTTP/1.1", 400},
      {"asterisk", "OPTIONS * HTTP/1.1", 400},
      {"authority form", "GET a:80 HTTP/1.1", 400},
      {"other scheme", "GET ftp://a/x HTTP/1.1", 400},
      {"absolute form of another host", "GET http://b/x HTTP/1.1", 400},
      {"absolute form of another port", "GET http://a:81/x HTTP/1.1", 400},
      {"absolute form with user", "GET http://u@a/x HTTP/1.1", 400},
      {"absolute form without host", "GET http:///x HTTP/1.1", 400},
      {"percent at the end", "GET /x% HTTP/1.1", 400},
      {"percent without hex", "GET /x%zz HTTP/1.1", 400},
      {"CR in the line", "GET /x\rHTTP/1.1", 400},
  };
  for (const auto& [name, line, status] : bad) {
    refused(cases, "line " + name, line + rest, status);
  }
  refused(cases, "line ended by LF", "GET /x HTTP/1.1\nHost: a\r\n\r\n", 400);
  refused(cases, "line three leading CRLFs", "\r\n\r\n\r\n" + get(""), 400);
  refused(cases, "line leading LF", "\n" + get(""), 400);
  refused(cases, "line leading CR", "\r" + get(""), 400);
  refused(cases, "line endless", "GET /" + std::string(100'000, 'x'), 414);
  refused(cases, "line endless method", std::string(100'000, 'X'), 414);
  alive(cases, "line two leading CRLFs", "\r\n\r\n" + get(""));
  alive(cases, "line absolute form", "GET http://a/x?y=1 HTTP/1.1" + rest);
  alive(cases, "line absolute form with the default port", "GET HTTP://A:80 HTTP/1.1" + rest);
  alive(cases, "line https absolute form", "GET https://a:443?q HTTP/1.1" + rest);
  alive(cases, "line every printable byte",
        "GET /!\"$%25&'()*+,-./09:;<=>?@AZ[]^_`az{|}~ HTTP/1.1" + rest);
  alive(cases, "line query with query mark", "GET /x?a=?b&c=%2f HTTP/1.1" + rest);
  for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"}) {
    alive(cases, std::string("line ") + method, std::string(method) + " /x HTTP/1.1" + rest);
  }
}

void add_host(Cases& cases) {
  const auto host = [](const std::string& value) {
    return "GET /x HTTP/1.1\r\nHost: " + value + "\r\n\r\n";
  };
  for (const char* value : {"",
                            "a b",
                            "a/b",
                            "a?b",
                            "a#b",
                            "u@a",
                            "a:b",
                            "a:65536",
                            "a:-1",
                            "a:80:80",
                            "[::1",
                            "::1",
                            "[::g]",
                            "[127.0.0.1]",
                            "[::1]x",
                            "a\\b",
                            "a%zz",
                            "\xc3\xa9",
                            "a:99999999999999999999",
                            ":80",
                            "<a>"}) {
    refused(cases, std::string("Host ") + value, host(value), 400);
  }
  refused(cases, "Host missing", "GET /x HTTP/1.1\r\n\r\n", 400);
  refused(cases, "Host twice", "GET /x HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400);
  refused(cases, "Host twice different", "GET /x HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", 400);
  refused(cases, "Host space before colon", "GET /x HTTP/1.1\r\nHost : a\r\n\r\n", 400);
  refused(cases, "Host twice on 1.0", "GET /x HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400);
  for (const char* value : {"a", "a:", "a:0", "a:65535", "127.0.0.1:80", "[::1]", "[::1]:80",
                            "a_b.c-d~e", "a,b", "a%41b", "A.EXAMPLE."}) {
    alive(cases, std::string("Host good ") + value, host(value));
  }
  closes(cases, "Host none on 1.0", "GET /x HTTP/1.0\r\n\r\n", {200});
}

void add_fields(Cases& cases) {
  refused(cases, "field no colon", get("Xab\r\n"), 400);
  refused(cases, "field empty name", get(": a\r\n"), 400);
  refused(cases, "field space in name", get("X a: b\r\n"), 400);
  refused(cases, "field NUL in name", get(raw("X\0a: b\r\n")), 400);
  refused(cases, "field NUL in value", get(raw("X: \0\r\n")), 400);
  refused(cases, "field BEL in value", get("X: \a\r\n"), 400);
  refused(cases, "field DEL in value", get("X: \x7f\r\n"), 400);
  refused(cases, "field VT in value", get("X: a\vb\r\n"), 400);
  refused(cases, "field UTF-8 in name", get("X\xc3\xa9: a\r\n"), 400);
  refused(cases, "field slash in name", get("X/a: b\r\n"), 400);
  refused(cases, "field parenthesis in name", get("X(a): b\r\n"), 400);
  refused(cases, "field folded", get("X: a\r\n b\r\n"), 400);
  refused(cases, "field folded by tab", get("X: a\r\n\tb\r\n"), 400);
  refused(cases, "field first line folded", "GET /x HTTP/1.1\r\n Host: a\r\n\r\n", 400);
  refused(cases, "field folded blank line", get("X: a\r\n \r\n"), 400);
  refused(cases, "field ended by LF", get("X: a\n"), 400);
  refused(cases, "field bare CR", get("X: a\rb\r\n"), 400);
  refused(cases, "field ended by CR CR LF", get("X: a\r\r\n"), 400);
  refused(cases, "field endless value", get("X: " + std::string(100'000, 'x')), 431);
  refused(cases, "field endless name", get(std::string(100'000, 'x')), 431);
  std::string many;
  for (int i = 0; i < 20'000; ++i) many += "X: a\r\n";
  refused(cases, "field 20000", get(many), 431);
  alive(cases, "field empty value", get("X:\r\nY: \r\n"));
  alive(cases, "field tab in value", get("X: a\tb\r\n"));
  alive(cases, "field obs-text", get("X: \xc3\xa9\xff\r\n"));
  alive(cases, "field every token byte", get("!#$%&'*+-.^_`|~09azAZ: a\r\n"));
  alive(cases, "field value with colons", get("X: a:b:c\r\n"));
}

void add_ends_of_head(Cases& cases) {
  refused(cases, "head CRLF CR X (CVE-2025-23167)", "GET /x HTTP/1.1\r\nHost: a\r\n\rX", 400);
  refused(cases, "head ended by LF", "GET /x HTTP/1.1\r\nHost: a\r\n\n", 400);
  refused(cases, "head ended by LF LF", "GET /x HTTP/1.1\r\nHost: a\n\n", 400);
  refused(cases, "head all LF", "GET /x HTTP/1.1\nHost: a\n\n", 400);
  refused(cases, "head ended by CR CR", "GET /x HTTP/1.1\r\nHost: a\r\r", 400);
  refused(cases, "CVE-2024-27982", "GET /x HTTP/1.1\r\nHost: a\r\n Content-Length: 38\r\n\r\n",
          400);
  refused(cases, "CVE-2023-30589",
          "GET /x HTTP/1.1\r\nHost: a\r\nX-Abc: \rxTransfer-Encoding: chunked\r\n\r\n"
          "1\r\nA\r\n0\r\n\r\n",
          400);
  refused(cases, "CVE-2021-22959", post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"), 400);
  refused(cases, "CVE-2021-22960", post("Transfer-Encoding: chunked\r\n", "2;\n\r\nab\r\n"), 400);
  refused(cases, "CVE-2022-32213", post("Transfer-Encoding: chunkedchunked\r\n", ""), 501);
  refused(cases, "CVE-2022-32214", "GET /x HTTP/1.1\r\nHost: a\r\nX:\nContent-Length: 9\r\n\r\n",
          400);
  refused(cases, "CVE-2022-32215", post("Transfer-Encoding: chunked,\r\n identity\r\n", ""), 501);
  refused(cases, "CVE-2022-35256", "GET /x HTTP/1.1\r\nHost: a\r\nX: a\rContent-Length: 9\r\n\r\n",
          400);
  std::string chunks;
  for (int i = 0; i < 20; ++i)
    chunks += "1;" + std::string(std::size_t{16} * 1024, 'e') + "\r\na\r\n";
  refused(cases, "CVE-2024-22019", post("Transfer-Encoding: chunked\r\n", chunks), 400);
}

void add_connection(Cases& cases) {
  alive(cases, "two requests in one segment", get("") + get(""), {200, 200});
  alive(cases, "a body and the next request", post("Content-Length: 3\r\n", "abc") + get(""),
        {200, 200});
  alive(cases, "a chunked body and the next request",
        post("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n") + get(""), {200, 200});
  alive(cases, "CRLF between requests", get("") + "\r\n" + get(""), {200, 200});
  closes(cases, "close", get("Connection: close\r\n"), {200});
  closes(cases, "close upper case", get("Connection: CLOSE\r\n"), {200});
  closes(cases, "close with a tab (llhttp 866)", get("Connection: close\t\r\n"), {200});
  closes(cases, "close in a list", get("Connection: foo , close\r\n"), {200});
  closes(cases, "close in a second field", get("Connection: keep-alive\r\nConnection: close\r\n"),
         {200});
  closes(cases, "close behind another request", get("") + get("Connection: close\r\n"), {200, 200});
  closes(cases, "HTTP/1.0", "GET /x HTTP/1.0\r\nHost: a\r\n\r\n", {200});
  alive(cases, "HTTP/1.0 keep-alive",
        "GET /x HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
  alive(cases, "closed is not close", get("Connection: closed\r\n"));
  closes(cases, "good then bad", get("") + "GARBAGE\r\n\r\n", {200, 400});
  alive(cases, "GET with a body", get("Content-Length: 3\r\n") + "abc" + get(""), {200, 200});
  for (const char* method : {"DELETE", "OPTIONS"}) {
    alive(cases, std::string(method) + " with a body",
          std::string(method) + " /x HTTP/1.1\r\nHost: a\r\nContent-Length: 38\r\n\r\n" +
              kSmuggled + "..." + get(""),
          {200, 200});
  }
  refused(cases, "CL over the body limit", post("Content-Length: 1025\r\n", ""), 413);
  alive(cases, "CL at the body limit",
        post("Content-Length: 1024\r\n", std::string(1024, 'a')) + get(""), {200, 200});
}

void add_protocols(Cases& cases) {
  alive(cases, "Upgrade is ignored", get("Connection: Upgrade\r\nUpgrade: websocket\r\n") + get(""),
        {200, 200});
  alive(cases, "Upgrade with a body",
        post("Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
             "Content-Length: 38\r\n",
             std::string(kSmuggled) + "..."));
  alive(cases, "Upgrade with a chunked body",
        post("Connection: Upgrade\r\nUpgrade: foo\r\nTransfer-Encoding: chunked\r\n",
             "1\r\na\r\n0\r\n\r\n"));
  refused(cases, "h2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
  refused(cases, "TLS hello", raw("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), 400);
  refused(cases, "SOCKS 5", raw("\x05\x01\x00"), 400);
  refused(cases, "SOCKS 4", raw("\x04\x01\x00\x50\x7f\x00\x00\x01\x00"), 400);
  refused(cases, "Redis inline", "PING\r\n", 400);
  refused(cases, "Redis array", "*1\r\n$4\r\nPING\r\n", 400);
  refused(cases, "SMTP", "EHLO a\r\n", 400);
  refused(cases, "random bytes", "\x8f\x1c\xe3\x02\x99", 400);
  refused(cases, "JSON", "{\"a\":1}\r\n", 400);
  refused(cases, "Expect other", post("Expect: 200-ok\r\nContent-Length: 3\r\n", "abc"), 417);
  alive(cases, "Expect on 1.0 is ignored",
        "POST /x HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue\r\n"
        "Content-Length: 3\r\n\r\nabc");
  alive(cases, "Expect with the body there",
        post("Expect: 100-Continue\r\nContent-Length: 3\r\n", "abc"));
}

void add_waiting(Cases& cases) {
  for (const std::string& prefix :
       {std::string(), std::string("G"), std::string("GET /x HTTP/1.1"),
        std::string("GET /x HTTP/1.1\r"), std::string("GET /x HTTP/1.1\r\nHost: a"),
        std::string("GET /x HTTP/1.1\r\nHost: a\r\n"),
        std::string("GET /x HTTP/1.1\r\nHost: a\r\n\r"), std::string("\r\n\r\n"),
        post("Content-Length: 3\r\n", "ab"), post("Transfer-Encoding: chunked\r\n", "1\r\na\r\n0"),
        post("Transfer-Encoding: chunked\r\n", "0\r\n\r"),
        post("Transfer-Encoding: chunked\r\n", "0\r\nX: a\r\n")}) {
    cases.push_back({"waits after " + prefix, prefix, {}, After::kWaiting});
  }
}

void add_paths(Cases& cases) {
  const auto path = [](const std::string& target) {
    return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
  };
  for (const char* target : {"/../smuggle", "/./x", "//x", "/x//y", "/%2e%2e/x", "/x%2fy", "/x;y=z",
                             "/x?", "/?", "/x%20y", "/http://b/"}) {
    alive(cases, std::string("path ") + target, path(target));
  }
  refused(cases, "path %00", path("/x%00"), 400);
  refused(cases, "path %00 in the query", path("/x?a=%00"), 400);
}

void add_server_answers(Cases& cases) {
  const std::size_t first = cases.size();
  alive(cases, "answered early, body dropped",
        "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 39\r\n\r\n" + std::string(kSmuggled) +
            "...." + get(""),
        {401, 200});
  alive(cases, "answered early, chunked body dropped",
        "POST /early HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n0\r\n\r\n" +
            get(""),
        {401, 200});
  alive(cases, "answered early, body of 64 KiB dropped",
        "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\n\r\n" +
            std::string(65536, 'a') + get(""),
        {401, 200});
  closes(cases, "answered early, body over 64 KiB",
         "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n" + std::string(100, 'a'),
         {401});
  closes(cases, "answered early, chunked body over 64 KiB",
         "POST /early HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n" +
             std::string(100, 'a'),
         {401});
  closes(cases, "answered early, bad chunk",
         "POST /early HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", {401});
  closes(cases, "answered early although 100 was asked for",
         "POST /early HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
         {401});
  alive(cases, "body not wanted",
        "POST /nobody HTTP/1.1\r\nHost: a\r\nContent-Length: 39\r\n\r\n" + std::string(kSmuggled) +
            "...." + get(""),
        {200, 200});
  closes(cases, "body not wanted and over 64 KiB",
         "POST /nobody HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n", {413});
  for (std::size_t i = first; i < cases.size(); ++i) cases[i].socket_only = true;
}

}  // namespace

std::vector<ExchangeCase> exchange_cases() {
  Cases cases;
  add_content_length(cases);
  add_transfer_encoding(cases);
  add_chunks(cases);
  add_request_line(cases);
  add_host(cases);
  add_fields(cases);
  add_ends_of_head(cases);
  add_connection(cases);
  add_protocols(cases);
  add_waiting(cases);
  add_paths(cases);
  add_server_answers(cases);
  return cases;
}

}  // namespace triggerd::api
