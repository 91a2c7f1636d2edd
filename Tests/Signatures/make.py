"""Signatures as vendors make them, for `WebhookSignatureTests`: Stripe's by Stripe's own library, those of Standard Webhooks by its reference
library. Shopify's Python library has no function for webhooks and WooCommerce has no library, so theirs follow the documented rule with nothing but
Python's hmac (shopify.dev/docs/apps/build/webhooks, "Verify"; woocommerce.github.io/woocommerce-rest-api-docs, "Webhooks: delivery/payload").

usage: .build-python/bin/python Tests/Signatures/make.py          writes vectors.json
       .build-python/bin/python Tests/Signatures/make.py --check  fails when the libraries say something else by now"""
import base64
import datetime
import hashlib
import hmac
import json
import pathlib
import sys

import standardwebhooks
import stripe

PLACE = pathlib.Path(__file__).with_name("vectors.json")
NOW = 1_767_225_600
BODIES = ['{"id":"evt_1","object":"event"}', '{ "name" : "Zoë 漢字 \\u00e9", "a":[1,2.50] }\n', ""]


def stripe_header(body, secrets):
    parts = [f"t={NOW}"]
    for secret in secrets:
        header = stripe.WebhookSignature.generate_signature_header(body, secret, timestamp=NOW)
        assert stripe.WebhookSignature.verify_header(body, header, secret)
        parts.append(header.split(",")[1])
    return ",".join(parts)


def base64_hmac(body, secret):
    return base64.b64encode(hmac.new(secret.encode(), body.encode(), hashlib.sha256).digest()).decode()


def vectors():
    made = []
    for body in BODIES:
        made.append({"vendor": "stripe", "secret": "whsec_test_secret", "body": body, "headers": {"Stripe-Signature": stripe_header(body, ["whsec_test_secret"])}})
        made.append({"vendor": "stripe", "secret": "whsec_new", "body": body, "headers": {"Stripe-Signature": stripe_header(body, ["whsec_old", "whsec_new"])}})
        made.append({"vendor": "shopify", "secret": "hush", "body": body, "headers": {"X-Shopify-Hmac-Sha256": base64_hmac(body, "hush")}})
        made.append({"vendor": "woocommerce", "secret": "s3cr€t", "body": body, "headers": {"X-WC-Webhook-Signature": base64_hmac(body, "s3cr€t")}})
        key = "whsec_" + base64.b64encode(bytes(range(32))).decode()
        when = datetime.datetime.fromtimestamp(NOW, datetime.timezone.utc)
        made.append({"vendor": "generic", "secret": key, "body": body, "headers": {
            "webhook-id": "msg_1", "webhook-timestamp": str(NOW), "webhook-signature": standardwebhooks.Webhook(key).sign("msg_1", when, body)}})
    return json.dumps({"now": NOW, "vectors": made}, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(0 if PLACE.read_text() == vectors() else "Tests/Signatures/vectors.json is not what the libraries make")
    PLACE.write_text(vectors())
