"""A client that a generator makes of the API's description tells a sale."""
import importlib
import os
import subprocess
import sys

import pytest

GENERATOR = "openapi-python-client"


@pytest.fixture(scope="module")
def generated(server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("generated")
    made = subprocess.run([f"{sys.prefix}/bin/{GENERATOR}", "generate", "--url", f"{server.base}/api/v1/openapi.json", "--output-path", folder / "client", "--overwrite",
                           "--meta", "none", "--fail-on-warning"], capture_output=True, text=True, timeout=300, cwd=folder,
                          env={**os.environ, "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}"})
    assert made.returncode == 0, (made.stdout + made.stderr)[-6000:]
    sys.path.insert(0, str(folder))
    yield importlib.import_module("client")
    sys.path.remove(str(folder))


def part(name):
    return importlib.import_module(f"client.{name}")


def test_it_makes_a_sale(server, shop, generated):
    models = part("models")
    authorized = generated.AuthenticatedClient(base_url=f"{server.base}/api/v1", token=server.secret_key, raise_on_unexpected_status=True)
    sale = part("api.tracking.track_sale").sync(
        client=authorized, idempotency_key="generated-1",
        body=models.TrackSaleBody(customer_external_id="gen", amount=4200, currency="EUR", invoice_id="GEN-1", code="AMIRA"))
    assert isinstance(sale, models.SaleAnswer), sale
    assert [(one.member_id, one.amount) for one in sale.commissions] == [(shop["people"][2], 420), (shop["people"][1], 126)]
    receipt = part("api.sales.get_sale_receipt").sync(sale.sale_id, client=authorized)
    assert isinstance(receipt, models.Receipt) and receipt.answer and receipt.sale.invoice_id == "GEN-1"
    balances = part("api.members.get_balances").sync(shop["people"][2], client=authorized)
    assert balances[0].unit == "EUR" and balances[0].pending > 0
    people = part("api.members.list_members").sync(client=authorized, limit=2)
    assert len(people.data) == 2 and people.has_more and isinstance(people.data[0], models.Member)


def test_its_refusals_are_typed(server, shop, generated):
    models = part("models")
    authorized = generated.AuthenticatedClient(base_url=f"{server.base}/api/v1", token=server.secret_key, raise_on_unexpected_status=True)
    track = part("api.tracking.track_sale")
    refused = track.sync_detailed(client=authorized, body=models.TrackSaleBody(customer_external_id="gen", amount=1, currency="XXX", invoice_id="GEN-2"))
    assert refused.status_code == 422 and isinstance(refused.parsed, models.Problem) and refused.parsed.errors[0].field == "currency"
    stranger = generated.AuthenticatedClient(base_url=f"{server.base}/api/v1", token="kith_sk_nobody", raise_on_unexpected_status=True)
    assert isinstance(part("api.members.list_members").sync(client=stranger), models.Problem)
