"""`python -m schemas.contract` brings both documents up to date."""

import sys

from schemas.contract import asyncapi, page

page.FILE.write_text(page.document(page.FILE.read_text()))
asyncapi.FILE.write_text(asyncapi.text())
sys.stdout.write(f"{page.FILE.name} and {asyncapi.FILE.name} are up to date\n")
