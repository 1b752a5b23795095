"""Registers as books: legal columns on screen and on paper, voiding a number."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
