"""The screens of the office: parse a form, call one act, render. Nothing here decides."""
