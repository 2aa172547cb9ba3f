"""Calls a gateway with IBM's SDK over TLS: call_watson.py URL API_KEY CERTIFICATE"""

import sys

import pandas
from ibm_watsonx_ai import APIClient, Credentials
from ibm_watsonx_ai.wml_client_error import ApiRequestFailure, WMLClientError

url, key, certificate = sys.argv[1:]


def connect(token):
    credentials = Credentials(url=url, token=token, instance_id="openshift", version="5.2", verify=certificate)
    return APIClient(credentials, space_id="any")


def refused(call, *parts):
    try:
        call()
    except (ApiRequestFailure, WMLClientError) as error:
        assert all(part in str(error) for part in parts), error
    else:
        raise AssertionError("expected a refusal")


client = connect(key)
input_data = client.deployments.ScoringMetaNames.INPUT_DATA

rows = {input_data: [{"fields": ["a", "b"], "values": [[1.5, 2], [3, 4]]}]}
answer = client.deployments.score("coder", rows)
assert answer == {"predictions": [{"fields": ["y"], "values": [[[3.0, 4.0]], [[6.0, 8.0]]]}]}, answer

frame = pandas.DataFrame([[1.5, 2.0], [3.0, 4.0]], columns=["a", "b"])
assert client.deployments.score("coder", {input_data: [{"values": frame}]}) == answer

digit = client.deployments.score("digits", {input_data: [{"values": [[0.0] * 64]}]})
assert digit["predictions"][0]["fields"] == ["probabilities"], digit

too_short = {input_data: [{"values": [[1.5, 2]]}]}
refused(
    lambda: client.deployments.score("digits", too_short),
    "Status code: 400",
    "input 'pixels': expected shape [-1,64], got [1,2]",
)
refused(
    lambda: client.deployments.score("nothing", rows),
    "Status code: 404",
    "deployment_does_not_exist",
)
refused(lambda: connect("guess"), "expected a known credential, got another")

names = [found["entity"]["name"] for found in client.deployments.get_details()["resources"]]
assert names == ["coder", "digits"], names
print("ok")
