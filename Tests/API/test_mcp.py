"""`kith mcp`, driven over its standard input and output as a model's program drives it."""
import json
import subprocess

import pytest

from serving import BINARY

MODERN = "2026-07-28"
META = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {}}
LINE_BYTES_MAX = 256 * 1024


class Conversation:
    def __init__(self, server, *flags, key=None, url=None):
        environment = {"KITH_KEY": server.secret_key if key is None else key, "KITH_URL": url or server.base, "PATH": "/usr/bin:/bin"}
        self.meta = META
        self.process = subprocess.Popen([BINARY, "mcp", *flags], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
        self.number = 0

    def line(self, raw):
        self.process.stdin.write(raw + b"\n")
        self.process.stdin.flush()

    def answer(self):
        return json.loads(self.process.stdout.readline())

    def ask(self, method, parameters=None, modern=True):
        self.number += 1
        parameters = dict(parameters or {})
        if modern:
            parameters["_meta"] = self.meta
        self.line(json.dumps({"jsonrpc": "2.0", "id": self.number, "method": method, "params": parameters}).encode())
        answer = self.answer()
        assert answer["jsonrpc"] == "2.0" and answer["id"] == self.number
        return answer

    def use(self, tool, modern=True, **arguments):
        result = self.ask("tools/call", {"name": tool, "arguments": arguments}, modern)["result"]
        assert json.loads(result["content"][0]["text"]) == result["structuredContent"]
        return result["structuredContent"], result["isError"]

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(20) == 0, self.process.stderr.read()


@pytest.fixture
def talk(server, shop):
    conversation = Conversation(server, "--write")
    yield conversation
    conversation.close()


def test_a_client_of_today_discovers_it(talk):
    found = talk.ask("server/discover")["result"]
    assert found["supportedVersions"] == [MODERN] and "tools" in found["capabilities"] and found["resultType"] == "complete"
    assert found["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "kith"
    listed = talk.ask("tools/list")["result"]
    assert listed["resultType"] == "complete" and listed["ttlMs"] > 0 and listed["cacheScope"] == "public"


@pytest.mark.parametrize("wanted, given", [("2025-11-25", "2025-11-25"), ("2025-06-18", "2025-06-18"), ("2024-11-05", "2025-11-25")])
def test_a_client_of_yesterday_shakes_hands(talk, wanted, given):
    hello = talk.ask("initialize", {"protocolVersion": wanted, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}, modern=False)["result"]
    assert hello["protocolVersion"] == given and hello["serverInfo"]["name"] == "kith" and hello["capabilities"] == {"tools": {}}
    talk.line(b'{"jsonrpc":"2.0","method":"notifications/initialized"}')
    assert talk.ask("ping", modern=False)["result"] == {}
    assert "resultType" not in talk.ask("tools/list", modern=False)["result"]
    assert not talk.use("overview", modern=False)[1]


def test_tools_are_described(talk):
    tools = talk.ask("tools/list")["result"]["tools"]
    assert tools == talk.ask("tools/list")["result"]["tools"], "the same order each time"
    names = [tool["name"] for tool in tools]
    assert len(set(names)) == len(names) and {"overview", "sale_receipt", "list_members", "list_runs", "record_refund"} <= set(names)
    for tool in tools:
        schema = tool["inputSchema"]
        assert schema["type"] == "object" and schema["additionalProperties"] is False and tool["description"] and tool["title"]
        assert set(schema["required"]) <= set(schema["properties"])
        assert tool["annotations"]["readOnlyHint"] == ("confirmToken" not in schema["properties"])
    assert not any("approv" in name or "accept" in name for name in names), "what takes two people is no tool"


def test_reading(talk, shop):
    view, _ = talk.use("overview")
    assert view["programs"][0]["name"] == "Friends of Morgenrot" and len(view["latestSales"]) == 3
    people, _ = talk.use("list_members", limit=2)
    assert len(people["data"]) == 2 and people["hasMore"]
    member = shop["people"][2]
    assert talk.use("get_member", memberId=member)[0]["name"] == "Amira Kaya"
    assert talk.use("get_balances", memberId=member)[0]["data"][0]["unit"] == "EUR"
    receipt, _ = talk.use("sale_receipt", saleId=shop["shared"])
    assert receipt["answer"] and receipt["lines"]
    line = receipt["lines"][0]
    assert talk.use("commission_receipt", commissionId=line["id"])[0]["arithmetic"]["amount"] == line["amount"]
    assert talk.use("list_sales", memberId=member)[0]["data"]
    for tool in ("list_programs", "list_links", "list_commissions", "list_runs", "list_payouts", "list_events"):
        value, failed = talk.use(tool)
        assert not failed and "data" in value, tool
    assert talk.use("list_rules", programId=shop["program"]["id"])[0]["data"]


def test_a_write_asks_first(talk, server, shop):
    sale = {"invoiceId": "MCP-1", "customerExternalId": "mcp", "amount": 5000, "currency": "EUR", "code": "AMIRA"}
    asked, failed = talk.use("record_sale", **sale)
    assert not failed and asked["nothingWasChanged"] and asked["wouldCall"]["path"] == "/track/sale"
    count = len(server.call("GET", "/sales?limit=100")["data"])
    token = asked["confirmToken"]
    for wrong in ({**sale, "amount": 5001}, {**sale, "invoiceId": "MCP-2"}):
        refused, failed = talk.use("record_sale", **wrong, confirmToken=token)
        assert failed and refused["code"] == "not_confirmed"
    for bad in ("", "x", token + "A", token.replace(token.split(".")[0], "9" * 18)):
        assert talk.use("record_sale", **sale, confirmToken=bad)[1]
    assert len(server.call("GET", "/sales?limit=100")["data"]) == count
    done, failed = talk.use("record_sale", **dict(reversed(sale.items())), confirmToken=token)
    assert not failed and done["commissions"][0]["amount"] == 500
    assert talk.use("record_sale", **sale, confirmToken=token)[0]["saleId"] == done["saleId"], "the same deed again"
    assert len(server.call("GET", "/sales?limit=100")["data"]) == count + 1
    other, failed = talk.use("record_refund", invoiceId="MCP-1", refundId="r", confirmToken=token)
    assert failed and other["code"] == "not_confirmed"


def test_a_preview_shows_the_sale_that_stands(talk, server):
    assert talk.use("record_sale", invoiceId="MCP-7", customerExternalId="c", amount=1000, currency="EUR")[0]["asItStands"]["GET /sales?invoiceId=MCP-7"]["data"] == []
    server.call("POST", "/track/sale", {"customerExternalId": "c", "amount": 1000, "currency": "EUR", "invoiceId": "MCP-7 &x={a}", "code": "AMIRA"})
    asked, failed = talk.use("record_refund", invoiceId="MCP-7 &x={a}", refundId="r7")
    (standing,) = asked["asItStands"].values()
    assert not failed and [(sale["invoiceId"], sale["amount"], sale["refundedAmount"]) for sale in standing["data"]] == [("MCP-7 &x={a}", 1000, 0)]


def test_a_client_that_can_ask_the_person_does(talk, server):
    talk.meta = {**META, "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}}
    sale = {"invoiceId": "MCP-ASK", "customerExternalId": "mcp", "amount": 5000, "currency": "EUR", "code": "AMIRA"}
    call = {"name": "record_sale", "arguments": sale}
    count = len(server.call("GET", "/sales?limit=100")["data"])
    asked = talk.ask("tools/call", call)["result"]
    question = asked["inputRequests"]["confirm"]
    assert asked["resultType"] == "input_required" and question["method"] == "elicitation/create" and "content" not in asked
    assert "MCP-ASK" in question["params"]["message"] and question["params"]["requestedSchema"]["properties"]["confirm"]["type"] == "boolean"

    def go_on(answer, arguments=sale, state=asked["requestState"]):
        result = talk.ask("tools/call", {"name": "record_sale", "arguments": arguments, "requestState": state, "inputResponses": {"confirm": answer}})["result"]
        return result["structuredContent"], result["isError"]

    yes = {"action": "accept", "content": {"confirm": True}}
    for answer in ({"action": "decline"}, {"action": "cancel"}, {"action": "accept"}, {"action": "accept", "content": {"confirm": False}}, {}):
        refused, failed = go_on(answer)
        assert failed and refused["code"] == "not_confirmed", answer
    for arguments, state in (({**sale, "amount": 5001}, asked["requestState"]), (sale, "1.x"), (sale, "")):
        assert go_on(yes, arguments, state)[1]
    # What a model can send is no yes.
    for words in ({"confirmToken": asked["requestState"]}, {"confirm": True}):
        refused, failed = talk.use("record_sale", **sale, **words)
        assert failed, words
    assert len(server.call("GET", "/sales?limit=100")["data"]) == count
    done, failed = go_on(yes)
    assert not failed and done["commissions"][0]["amount"] == 500
    assert go_on(yes)[0]["saleId"] == done["saleId"], "the same deed again"
    assert len(server.call("GET", "/sales?limit=100")["data"]) == count + 1
    assert not talk.use("overview")[1], "reading asks nobody"


@pytest.mark.parametrize("capability, asks", [({"elicitation": {}}, True), ({"elicitation": {"form": {}}}, True), ({"elicitation": {"url": {}}}, False), ({}, False)])
def test_a_client_of_yesterday_is_asked_too(server, shop, capability, asks):
    talk = Conversation(server, "--write")
    talk.ask("initialize", {"protocolVersion": "2025-11-25", "capabilities": capability, "clientInfo": {"name": "t", "version": "1"}}, modern=False)
    name = f"OLD-{len(str(capability))}"
    call = {"name": "record_sale", "arguments": {"invoiceId": name, "customerExternalId": "old", "amount": 700, "currency": "EUR"}}

    def send(number):
        talk.line(json.dumps({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": call}).encode())
        return talk.answer()

    first = send(901)
    if not asks:
        assert first["id"] == 901 and first["result"]["structuredContent"]["confirmToken"]
        return talk.close()
    assert first["method"] == "elicitation/create" and name in first["params"]["message"] and "result" not in first
    # While the person thinks, other calls are answered.
    assert not talk.use("overview", modern=False)[1]
    talk.line(json.dumps({"jsonrpc": "2.0", "id": first["id"], "result": {"action": "decline"}}).encode())
    refused = talk.answer()
    assert refused["id"] == 901 and refused["result"]["isError"] and refused["result"]["structuredContent"]["code"] == "not_confirmed"
    second = send(902)
    assert second["id"] != first["id"]
    answer = {"jsonrpc": "2.0", "id": second["id"], "result": {"action": "accept", "content": {"confirm": True}}}
    talk.line(json.dumps(answer).encode())
    done = talk.answer()
    assert done["id"] == 902 and not done["result"]["isError"] and done["result"]["structuredContent"]["saleId"]
    talk.line(json.dumps(answer).encode())
    assert talk.answer()["error"]["code"] == -32600, "a question is answered once"
    # No more than so many wait.
    assert [("method" in send(1000 + number)) for number in range(17)] == [True] * 16 + [False]
    talk.close()


def test_what_takes_away_is_rehearsed(talk, server):
    sale = server.call("POST", "/track/sale", {"customerExternalId": "c", "amount": 1000, "currency": "EUR", "invoiceId": "MCP-9", "code": "AMIRA"})
    commission = sale["commissions"][0]["id"]
    wish = {"commissionId": commission, "reason": "Ordered by mistake"}
    asked, failed = talk.use("cancel_commission", **wish)
    assert not failed and asked["asItStands"]["rehearsal"]["dryRun"] is True
    assert asked["asItStands"][f"GET /commissions/{commission}"]["amount"] == 100
    assert server.call("GET", f"/commissions/{commission}")["state"] == "pending"
    done, failed = talk.use("cancel_commission", **wish, confirmToken=asked["confirmToken"])
    assert not failed and done["dryRun"] is False
    assert server.call("GET", f"/commissions/{commission}")["state"] != "pending"


def test_without_the_flag_nothing_writes(server, shop):
    conversation = Conversation(server)
    names = [tool["name"] for tool in conversation.ask("tools/list")["result"]["tools"]]
    assert "overview" in names and "record_sale" not in names
    assert conversation.ask("tools/call", {"name": "record_sale", "arguments": {}})["error"]["code"] == -32602
    conversation.close()


def test_the_key_decides(server, shop):
    weak = server.call("POST", "/api-keys", {"name": "reader", "scopes": ["members:read"]})["secretKey"]
    conversation = Conversation(server, "--write", key=weak)
    assert not conversation.use("list_members")[1]
    refused, failed = conversation.use("list_sales")
    assert failed and refused["code"] == "missing_right"
    view, failed = conversation.use("overview")
    assert not failed and "notShown" in view["latestSales"]
    asked, _ = conversation.use("record_refund", invoiceId="x", refundId="y")
    assert conversation.use("record_refund", invoiceId="x", refundId="y", confirmToken=asked["confirmToken"])[0]["code"] == "missing_right"
    conversation.close()
    for key, code in (("kith_sk_wrong", "unauthorized"), ("", "no_key")):
        conversation = Conversation(server, key=key)
        refused, failed = conversation.use("overview")
        assert failed and refused["code"] == code
        conversation.close()


def test_bad_arguments_are_named(talk):
    for tool, arguments, word in (("get_member", {}, "memberId"), ("get_member", {"memberId": 7}, "memberId"), ("get_member", {"memberId": ".."}, "memberId"),
                                  ("list_members", {"limit": 1000}, "limit"), ("list_members", {"limt": 1}, "limt"),
                                  ("list_commissions", {"state": "lost"}, "state"), ("get_member", {"memberId": "x" * 300}, "memberId")):
        value, failed = talk.use(tool, **arguments)
        assert failed and word in value["error"], (tool, arguments, value)
    value, failed = talk.use("get_member", memberId="ext:nobody/../../sales?x=1#y")
    assert failed and value["code"] == "not_found"
    asked, _ = talk.use("record_sale", invoiceId="i", customerExternalId="c", amount=1, currency="nonsense"[:3])
    assert talk.use("record_sale", invoiceId="i", customerExternalId="c", amount=1, currency="non", confirmToken=asked["confirmToken"])[1]


def test_bad_messages_are_answered_and_it_goes_on(talk):
    for raw, code in ((b"nonsense", -32700), (b"[]", -32600), (b'{"jsonrpc":"2.0"}', -32600), (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600),
                      (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', -32600), (b'{"jsonrpc":"2.0","id":{},"method":"ping"}', -32600),
                      (b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}', -32602), (b'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":[]}', -32602),
                      (b"\xff\xfe", -32700), (b"[" * 100_000, -32700)):
        talk.line(raw)
        assert talk.answer()["error"]["code"] == code, raw[:60]
    assert talk.ask("no/such")["error"]["code"] == -32601
    assert talk.ask("tools/call", {"name": "no_such"})["error"]["code"] == -32602
    assert talk.ask("tools/call", {"arguments": {}})["error"]["code"] == -32602
    assert talk.ask("tools/call", {"name": "overview", "arguments": []})["result"]["isError"]
    talk.line(json.dumps({"jsonrpc": "2.0", "id": 9, "method": "tools/list", "params": {"_meta": {**META, "io.modelcontextprotocol/protocolVersion": "1900-01-01"}}}).encode())
    refused = talk.answer()["error"]
    assert refused["code"] == -32022 and refused["data"]["requested"] == "1900-01-01" and MODERN in refused["data"]["supported"]
    talk.line(b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}')
    assert not talk.use("overview")[1]


def test_an_over_long_line_is_not_kept(talk):
    talk.line(b'{"jsonrpc":"2.0","id":1,"method":"tools/list","x":"' + b"a" * (LINE_BYTES_MAX * 8) + b'"}')
    assert talk.answer()["error"]["code"] == -32600
    assert not talk.use("overview")[1]


def test_a_server_that_is_away_is_said(server):
    conversation = Conversation(server, url="http://127.0.0.1:9")
    value, failed = conversation.use("overview")
    assert failed and value["code"] == "unreachable"
    conversation.close()


@pytest.mark.parametrize("url", ["http://refer.example", "ftp://x", "nonsense", "https://user:word@x"])
def test_keys_do_not_travel_in_the_open(server, url):
    done = subprocess.run([BINARY, "mcp", "--url", url], input=b"", capture_output=True, timeout=30)
    assert done.returncode == 1 and done.stderr
