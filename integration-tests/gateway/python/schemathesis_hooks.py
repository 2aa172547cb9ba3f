"""XML bodies follow /partitura.xsd, which schemathesis does not know; integration-tests/gateway/xml.test.ts has them."""

import schemathesis


@schemathesis.hook
def filter_case(context, case):
    return case.media_type != "application/xml"
